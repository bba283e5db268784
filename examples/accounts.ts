/** The two accounts of the example, with hashed passwords (scrypt). */
import { randomBytes, scrypt, timingSafeEqual } from 'node:crypto';
import { promisify } from 'node:util';
import type { FindAccount as FindOidcAccount } from 'oidc-provider';

const derive = promisify<string, Buffer, number, Buffer>(scrypt);

export interface Person {
  readonly id: string;
  readonly userName: string;
  readonly name: string;
  readonly email: string;
}

interface Credentials {
  readonly salt: Buffer;
  readonly hash: Buffer;
}

/** The demo accounts and their passwords. */
const DEMO: readonly (readonly [person: Person, password: string])[] = [
  [{ id: 'a11ce', userName: 'alice', name: 'Alice Liddell', email: 'alice@example.com' }, 'wonderland'],
  [{ id: 'b0b', userName: 'bob', name: 'Bob Sawyer', email: 'bob@example.com' }, 'builder'],
];

export class Accounts {
  readonly #people = new Map<string, Person>();
  readonly #credentials = new Map<string, Credentials>();

  static async demo(): Promise<Accounts> {
    const accounts = new Accounts();
    for (const [person, password] of DEMO) await accounts.add(person, password);
    return accounts;
  }

  async add(person: Person, password: string): Promise<void> {
    const salt = randomBytes(16);
    this.#people.set(person.id, person);
    this.#credentials.set(person.userName, { salt, hash: await derive(password, salt, 32) });
  }

  /**
   * Checks a password. An unknown name takes as long as a wrong password, so that the time does not reveal which names
   * exist.
   */
  async authenticate(userName: string, password: string): Promise<Person | undefined> {
    const { salt, hash } = this.#credentials.get(userName) ?? { salt: Buffer.alloc(16), hash: Buffer.alloc(32) };
    const matches = timingSafeEqual(await derive(password, salt, 32), hash);
    return matches ? this.findByName(userName) : undefined;
  }

  find(id: string): Person | undefined {
    return this.#people.get(id);
  }

  findByName(userName: string): Person | undefined {
    return [...this.#people.values()].find((person) => person.userName === userName);
  }

  ids(): string[] {
    return [...this.#people.keys()];
  }

  changeEmail(id: string, email: string): void {
    const person = this.#people.get(id);
    if (person !== undefined) this.#people.set(id, { ...person, email });
  }

  /** The option `findAccount` of `oidc-provider`. */
  readonly findOidcAccount: FindOidcAccount = (_ctx, id) => {
    const person = this.find(id);
    return person && { accountId: id, claims: () => ({ sub: id, name: person.name, email: person.email }) };
  };
}
