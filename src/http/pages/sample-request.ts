import type { SignInRequest } from '../../ticket/ticket.ts';

/** The request that all samples are about. */
export const REQUEST: SignInRequest = {
  client: { id: 'app', name: 'Sample app', host: 'app.example.com' },
  scopes: ['openid', 'profile', 'email'],
  locales: [],
  requirements: {},
};

/** The URL of one of the plugin's pictures. The gallery, in which tests show the samples, serves it, too. */
export const LOGO = '/qr/assets/icon.svg';
