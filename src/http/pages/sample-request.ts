import type { SignInRequest } from '../../ticket/ticket.ts';

/** The request that all samples are about. */
export const REQUEST: SignInRequest = {
  client: { id: 'app', name: 'Sample app', host: 'app.example.com' },
  scopes: ['openid', 'profile', 'email'],
  locales: [],
  requirements: {},
};

/** The URL of a picture, which is also there in the gallery of the pages. */
export const LOGO = '/qr/assets/icon.svg';
