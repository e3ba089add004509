/** The words of the shop for each request, by method and route. A route that is missing is told by its name. */

export interface Action {
  /** Subject of "... was refused": "A sign-in". */
  readonly tried: string;
  /** "Somebody signed in". */
  readonly done: string;
}

const action = (tried: string, done: string): Action => ({ tried, done });

export const actions: Readonly<Record<string, Action>> = {
  'POST /api/session/login': action('A sign-in', 'Somebody signed in'),
  'POST /api/session/login/second-factor': action('A sign-in by a second factor', 'Somebody signed in by a second factor'),
  'POST /api/session/login/passkey': action('A sign-in by passkey', 'Somebody signed in by passkey'),
  'POST /api/session/register': action('A registration', 'Somebody registered and is signed in'),
  'POST /api/session/guest': action('The start of a guest session', 'A guest session began'),
  'POST /api/session/logout': action('A sign-out', 'Somebody signed out'),
  'POST /api/session/reauthenticate': action('A step-up', 'Somebody proved the password again'),
  'GET /api/session': action('A look at the session', 'A page asked who it is'),
  'GET /api/session/devices': action('A look at the list of devices', 'Somebody looked at the list of devices'),
  'DELETE /api/session/devices/{handle}': action('The end of a device’s session', 'Somebody ended the session of a device'),
  'DELETE /api/session/devices': action('The end of the other sessions', 'Somebody ended the sessions of all other devices'),
  'PUT /api/session/password': action('A change of password', 'Somebody changed the password'),
  'GET /api/cart': action('A read of the cart', 'A page read the cart'),
  'POST /api/cart/lines': action('An addition to the cart', 'A product went into the cart'),
  'PUT /api/cart/lines/{lineId}': action('A change of a quantity', 'A quantity in the cart changed'),
  'DELETE /api/cart/lines/{lineId}': action('A removal from the cart', 'A product left the cart'),
  'DELETE /api/cart': action('The clearing of a cart', 'A cart was cleared'),
  'PUT /api/cart/coupons/{code}': action('A coupon', 'A coupon was put on the cart'),
  'DELETE /api/cart/coupons/{code}': action('The removal of a coupon', 'A coupon left the cart'),
  'GET /api/products': action('A search of the catalog', 'A page read the catalog'),
  'GET /api/products/suggestions': action('A question for suggestions', 'A page asked for suggestions'),
  'GET /api/products/{productId}': action('A read of a product', 'A page read a product'),
  'GET /api/profile': action('A read of the profile', 'A page read the profile'),
  'PATCH /api/profile': action('A change of the profile', 'The profile changed'),
  'POST /api/orders': action('An order', 'Somebody ordered'),
  'POST /api/orders/preview': action('A preview of an order', 'A page asked what an order would cost'),
  'GET /api/orders': action('A read of the orders', 'A page read its orders'),
  'GET /api/orders/{orderId}': action('A read of an order', 'A page read an order'),
  'GET /api/events': action('The opening of a live stream', 'A page began to listen for changes'),
};
