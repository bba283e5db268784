/** The example's people, whose passwords cost nothing to check: hashing them takes longer than most tests. */
import { Accounts, DEMO, type Person } from '../../examples/accounts.ts';

export class QuickAccounts extends Accounts {
  readonly #known = new Map<string, { readonly person: Person; readonly password: string }>();

  static override async demo(): Promise<QuickAccounts> {
    const accounts = new QuickAccounts();
    for (const [person, password] of DEMO) await accounts.add(person, password);
    return accounts;
  }

  override async add(person: Person, password: string): Promise<void> {
    this.#known.set(person.id, { person, password });
  }

  override remove(id: string): void {
    this.#known.delete(id);
  }

  override async authenticate(userName: string, password: string): Promise<Person | undefined> {
    const known = [...this.#known.values()].find(({ person }) => person.userName === userName);
    return known?.password === password ? known.person : undefined;
  }

  override find(id: string): Person | undefined {
    return this.#known.get(id)?.person;
  }
}
