/** Makes the countdown of the time that is left. */
import { element } from '../dom.ts';
import type { Texts } from '../texts.ts';

const SECOND_MS = 1_000;

/**
 * Shows the time left, and counts it down while it is on the screen.
 * @param seconds the time left now
 */
export function countdown({ t }: Texts, seconds: number): HTMLElement {
  const endsAt = performance.now() + seconds * SECOND_MS;
  const time = element('span', { class: 'time' });
  const root = element('p', { class: 'quiet countdown', role: 'timer' }, `${t('qr.left')} `, time);
  const show = (): void => {
    const left = Math.max(0, Math.ceil((endsAt - performance.now()) / SECOND_MS));
    time.textContent = `${Math.floor(left / 60)}:${`${left % 60}`.padStart(2, '0')}`;
  };
  show();
  const timer = setInterval(() => (root.isConnected ? show() : clearInterval(timer)), SECOND_MS);
  return root;
}
