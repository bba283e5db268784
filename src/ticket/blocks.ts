import type { BrowserList, ListedBrowser } from './browsers/browser-list.ts';
import { fingerprint } from './secret-keys.ts';

/** The origin that an account refuses: a network address for sign-ins, or a client for its other requests. */
export type BlockedOrigin = { readonly source: string } | { readonly clientId: string };

/** The part of a block that is stored besides its id. */
interface BlockFields extends Omit<ListedBrowser, 'id' | 'label'> {
  readonly accountId: string;
  /** `user` after "I did not start this", `operator` if an operator has added it. */
  readonly by: 'user' | 'operator';
}

/**
 * A refusal of what comes from an origin to an account, until `endsAt`. `lastUsedAt` is the time of the report, or of
 * the operator's act.
 */
export type NewBlock = BlockFields & BlockedOrigin;
export type Block = NewBlock & { readonly id: string };

/** A list of blocks, stored like a list of browsers: bounded, and each step atomic. */
export type BlockRecords = Pick<BrowserList<Block>, 'put' | 'list' | 'remove'>;

/** The name under which the blocks of all accounts are listed. */
const ALL = '';

export interface BlockListPorts {
  /** The blocks of each account. */
  readonly ofAccount: BlockRecords;
  /** The latest blocks of all accounts. */
  readonly ofAll: BlockRecords;
}

/**
 * Lists the blocks, for operators: at most 100 of each account, and the latest 100 of all. The notes decide, see
 * reports.ts: a block that has left a full list still counts until its end.
 */
export class BlockList {
  readonly #ports: BlockListPorts;

  constructor(ports: BlockListPorts) {
    this.#ports = ports;
  }

  /** Lists a block. One of the same account and origin is replaced. */
  async put(block: NewBlock): Promise<Block> {
    const { ofAccount, ofAll } = this.#ports;
    const listed: Block = { ...block, id: idOf(block.accountId, block) };
    await Promise.all([ofAccount.put(block.accountId, listed), ofAll.put(ALL, listed)]);
    return listed;
  }

  /** Returns the blocks of an account, or the latest ones of all accounts; the latest one first. */
  async list(accountId: string | undefined): Promise<readonly Block[]> {
    const { ofAccount, ofAll } = this.#ports;
    const list = await (accountId === undefined ? ofAll.list(ALL) : ofAccount.list(accountId));
    return [...list].sort((one, other) => other.lastUsedAt - one.lastUsedAt);
  }

  async find(accountId: string, origin: BlockedOrigin): Promise<Block | undefined> {
    const id = idOf(accountId, origin);
    return (await this.#ports.ofAccount.list(accountId)).find((block) => block.id === id);
  }

  async remove(accountId: string, origin: BlockedOrigin): Promise<void> {
    const { ofAccount, ofAll } = this.#ports;
    const id = idOf(accountId, origin);
    await Promise.all([ofAccount.remove(accountId, id), ofAll.remove(ALL, id)]);
  }
}

function idOf(accountId: string, origin: BlockedOrigin): string {
  return fingerprint(
    JSON.stringify('clientId' in origin ? [accountId, 'client', origin.clientId] : [accountId, origin.source]),
  );
}
