import { createContext, use } from 'react';
import type { ShopApi } from './shop-api.ts';

const ShopApiContext = createContext<ShopApi | undefined>(undefined);
export const ShopApiProvider = ShopApiContext.Provider;

export function useApi(): ShopApi {
  const api = use(ShopApiContext);
  if (!api) throw new Error('useApi outside of ShopApiProvider');
  return api;
}

/** The cache keys of everything that the page reads. The page forgets a person's data when another person comes. */
export const keys = {
  session: ['session'],
  cart: ['cart'],
  profile: ['profile'],
  devices: ['devices'],
  factors: ['factors'],
  notices: ['notices'],
  users: ['users'],
  preview: ['preview'],
  orders: ['orders'],
  products: ['products'],
} as const;
export const personalKeys = [
  keys.cart,
  keys.profile,
  keys.devices,
  keys.factors,
  keys.notices,
  keys.users,
  keys.preview,
  keys.orders,
] as const;
