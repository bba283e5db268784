/**
 * The six flaws of the study "Demystifying the (In)Security of QR Code-based Login in Real-world Deployments" (Zhang
 * and others, 34th USENIX Security Symposium, 2025), each as an attack on our server. The study found at least one of
 * them on 47 of 109 sites.
 */
import type { Attack } from '../attack.ts';
import { bobInAliceName, nameOnTheScreen } from './accounts.ts';
import { chosenCode, predictedCode, usedCode, usedSignIn, withoutCookies } from './codes.ts';

interface Flaw {
  readonly id: string;
  /** The flaw in our words. */
  readonly name: string;
  readonly attacks: readonly Omit<Attack, 'row'>[];
  /** The row of the table in docs/security.md that forbids it. */
  readonly row: number;
  /** The result of the attack on our server. */
  readonly result: string;
}

const FLAWS: readonly Flaw[] = [
  {
    id: 'F1',
    name: 'a session that the code is not bound to',
    attacks: [withoutCookies],
    row: 1,
    result: '404: the interaction belongs to the browser with both cookies',
  },
  {
    id: 'F2',
    name: 'a code that can be used again',
    attacks: [usedCode, usedSignIn],
    row: 3,
    result: '404 for the code, 404 or 409 for the approval: each can be used once',
  },
  {
    id: 'F3',
    name: 'an id that can be predicted',
    attacks: [predictedCode],
    row: 4,
    result: '404: an id has 128 random bits, and a code has a MAC as well',
  },
  {
    id: 'F4',
    name: 'an id that the client can choose',
    attacks: [chosenCode],
    row: 4,
    result: 'a code of the server’s own; 404 for the chosen one',
  },
  {
    id: 'F5',
    name: 'a token that does not decide which account approves',
    attacks: [bobInAliceName],
    row: 5,
    result: 'a sign-in to the attacker’s own account, because the session decides who approves',
  },
  {
    id: 'F6',
    name: 'data of the account on the screen',
    attacks: [nameOnTheScreen],
    row: 6,
    result: 'states and seconds, and nothing of the account',
  },
];

export const attacks: Attack[] = FLAWS.flatMap(({ id, name, row, attacks: all }) =>
  all.map((attack) => ({ ...attack, row, name: `${id}, ${name}: ${attack.name}` })),
);

/** Returns the table for docs/security.md: the flaw, the attack, the missing defence, the result on our server. */
export function flawTable(): string {
  const rows = FLAWS.flatMap(({ id, name, attacks: all, result }) =>
    all.map((attack) => `| ${id}, ${name} | ${attack.name} | a server without ${attack.without.defence} | ${result} |`),
  );
  return ['| Flaw | The attacker | Succeeds against | Gets from ours |', '| --- | --- | --- | --- |', ...rows].join(
    '\n',
  );
}
