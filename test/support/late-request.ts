/** Sends a request with a slow body, so that the provider reads the session long before it answers. */
import { once } from 'node:events';
import { request } from 'node:http';
import type { Agent } from './agent.ts';
import type { Elsewhere } from './elsewhere.ts';

/**
 * Sends the head of a form request, and waits until the provider has read the session.
 * @returns a function that sends the rest and returns the status of the answer
 */
export async function beginLateRequest(
  url: string,
  agent: Agent,
  elsewhere: Elsewhere,
): Promise<() => Promise<number>> {
  const wasRead = new Promise<void>((resolve) => {
    elsewhere.before = async ({ key }) => {
      if (key.includes('Session#')) resolve();
    };
  });
  const late = request(url, {
    method: 'POST',
    headers: {
      cookie: await agent.jar.getCookieString(url),
      'content-type': 'application/x-www-form-urlencoded',
      'transfer-encoding': 'chunked',
    },
  });
  late.flushHeaders();
  await wasRead;
  elsewhere.before = async () => undefined;
  return async () => {
    late.end('logout=');
    const [answer] = await once(late, 'response');
    answer.resume();
    await once(answer, 'end');
    return answer.statusCode;
  };
}
