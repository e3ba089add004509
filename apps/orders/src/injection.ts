/** The tokens that Nest injects by. Interfaces have no name at run time. */
export const configToken = Symbol('OrdersConfig');
export const processToken = Symbol('Parts');
export const peersToken = Symbol('Peers');
export const databaseToken = Symbol('Database');
export const eventLogToken = Symbol('EventLog');
export const keysToken = Symbol('KeyRing');
export const feedToken = Symbol('RevocationFeed');
export const exchangeToken = Symbol('TokenExchange');
export const providerToken = Symbol('PaymentProvider');
export const ordersToken = Symbol('OrdersParts');
export const workerToken = Symbol('BackgroundWorker');
export const noticesToken = Symbol('OrderNotices');
