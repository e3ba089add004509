/** The tokens by which Nest injects, because an interface has no name at run time. Such a token is a name, never a credential. */
export const configToken = Symbol('OrdersConfig');
export const peersToken = Symbol('Peers');
export const databaseToken = Symbol('Database');
export const exchangeToken = Symbol('TokenExchange');
export const providerToken = Symbol('PaymentProvider');
export const commitsToken = Symbol('Commits');
export const ordersToken = Symbol('OrdersParts');
export const workerToken = Symbol('BackgroundWorker');
export const noticesToken = Symbol('OrderNotices');
