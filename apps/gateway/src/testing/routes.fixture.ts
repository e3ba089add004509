/** The routes without a gateway that serves them. A test compares them with the document of one that does. */
import 'reflect-metadata';
import { AccountController } from '../account/account.controller.ts';
import { AdministrationController } from '../account/administration.controller.ts';
import { CartController } from '../cart/cart.controller.ts';
import { CatalogController } from '../catalog/catalog.controller.ts';
import { routesOf } from '../edge/route-list.ts';
import { EventsController } from '../events/events.controller.ts';
import { ObservatoryController } from '../observatory/observatory.controller.ts';
import { OperationsController } from '../operations/operations.controller.ts';
import { OrdersController } from '../orders/orders.controller.ts';
import { ProfileController } from '../profile/profile.controller.ts';
import { SessionController } from '../session/session.controller.ts';

export const routes = routesOf([
  SessionController,
  AccountController,
  AdministrationController,
  CatalogController,
  CartController,
  OrdersController,
  ProfileController,
  EventsController,
  ObservatoryController,
  OperationsController,
]);
