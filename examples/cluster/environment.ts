/** Reads the settings of a program of the cluster from its environment. */
import { portFrom } from '../ports.ts';
import { loadSecrets, type Secrets } from '../secrets.ts';

export interface Environment {
  readonly port: number;
  /** The address to listen on: 127.0.0.1 by default; 0.0.0.0 in a container. */
  readonly host: string;
  readonly issuer: string;
  readonly rpUrl: string;
  /** The secrets. They are the same on all nodes, because a node verifies what another one has signed. */
  readonly secrets: Secrets;
}

export function readEnvironment(): Environment {
  const { HOST = '127.0.0.1', ISSUER = 'http://localhost:3000', RP_URL = 'http://localhost:3001' } = process.env;
  return { port: portFrom('PORT', 3000), host: HOST, issuer: ISSUER, rpUrl: RP_URL, secrets: loadSecrets() };
}
