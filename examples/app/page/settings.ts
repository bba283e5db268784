/** Reads the settings of the app from the `data-` attributes of its `<html>` element. */

export interface Settings {
  /** The provider's issuer, as its metadata has it. */
  readonly issuer: string;
  /** The id of this app as a client of the provider. */
  readonly clientId: string;
  /** The name of the provider for its users. */
  readonly provider: string;
}

export function readSettings({ dataset }: HTMLElement = document.documentElement): Settings {
  const { issuer = '', clientId = '', provider = '' } = dataset;
  return { issuer, clientId, provider };
}
