/** Many people: those of the example, and any number who cost nothing to make, as their password is not hashed. */
import { Accounts, type Person } from '../../examples/accounts.ts';
import { QuickAccounts } from './quick-accounts.ts';

const PASSWORD = 'password';

const PASSWORDS: Readonly<Record<string, string>> = { alice: 'wonderland', bob: 'builder' };

/** What somebody of the crowd signs in with. */
export function passwordOf(userName: string): string {
  return PASSWORDS[userName] ?? PASSWORD;
}

export class Crowd extends Accounts {
  readonly #few: Accounts;
  readonly #many = new Map<string, Person>();

  private constructor(few: Accounts) {
    super();
    this.#few = few;
  }

  /** `user0` and so on, each of them with that as the account's id. */
  static async of(size: number): Promise<Crowd> {
    const crowd = new Crowd(await QuickAccounts.demo());
    for (let index = 0; index < size; index++) {
      const id = `user${index}`;
      crowd.#many.set(id, { id, userName: id, name: `User ${index}`, email: `${id}@example.com` });
    }
    return crowd;
  }

  override async authenticate(userName: string, password: string): Promise<Person | undefined> {
    const person = this.#many.get(userName);
    if (person === undefined) return this.#few.authenticate(userName, password);
    return password === PASSWORD ? person : undefined;
  }

  override find(id: string): Person | undefined {
    return this.#many.get(id) ?? this.#few.find(id);
  }
}
