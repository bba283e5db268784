/** A Redis for tests of users with few rights, with the warnings that the process emits during a test. */
import { RedisServer } from '../../support/redis.ts';

/** The rights that docs/operations.md names, without those for channels. */
const COMMANDS = ['~keyv:*', '+@read', '+@write', '+@scripting', '+@pubsub', '+@connection', '+time'];

export interface RestrictedRedis {
  readonly redis: RedisServer;
  /**
   * Sets the rights of a user besides the rights for commands.
   * @returns the address with the user's name and password
   */
  readonly urlOfUser: (...rights: string[]) => Promise<string>;
  /** Returns the warnings of the current test with this code. */
  readonly warned: (code: string) => string[];
}

/** Starts a Redis before the tests of a suite. */
export function useRestrictedRedis(): () => RestrictedRedis {
  let redis: RedisServer | undefined;
  let warnings: (Error & { code?: string })[] = [];
  const note = (warning: Error): unknown => warnings.push(warning);

  before(async () => {
    redis = await RedisServer.start();
  });

  after(() => redis?.stop());

  beforeEach(() => {
    warnings = [];
    process.on('warning', note);
  });

  afterEach(() => process.off('warning', note));

  return () => {
    if (redis === undefined) throw new Error('call this in a test: Redis runs only during tests');
    const server = redis;
    return {
      redis: server,
      urlOfUser: async (...rights) => {
        await server.command(
          'ACL',
          'SETUSER',
          'app',
          'reset',
          'on',
          '>secret',
          'resetchannels',
          ...COMMANDS,
          ...rights,
        );
        return server.url.replace('redis://', 'redis://app:secret@');
      },
      warned: (code) => warnings.filter((warning) => warning.code === code).map(({ message }) => message),
    };
  };
}
