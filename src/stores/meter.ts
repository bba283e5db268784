/** The name of this package's OpenTelemetry meter. */
export const METER = 'oidc-provider-qr-login';
