/** Counts down the time that is left on a page of the phone. The time is shown only shortly before the end. */
import { minutesAndSeconds } from '../time/minutes-and-seconds.ts';

/** The time is shown once less than this is left, in seconds. */
const SHOWN_FOR_S = 30;

/** Starts the countdown of the page, if it has one. */
export function showTimeLeft(): void {
  const element = document.querySelector<HTMLElement>('[data-ends-in]');
  const digits = element?.querySelector('[data-time]');
  if (!element || !digits) return;
  const said = element.nextElementSibling;
  const endsAt = Date.now() + Number(element.dataset.endsIn) * 1000;
  const show = (): void => {
    const seconds = Math.max(0, Math.ceil((endsAt - Date.now()) / 1000));
    // Announce a single time that little time is left, for users who cannot see the digits. A deployment's own page
    // may lack the element for this announcement.
    if (element.hidden && seconds <= SHOWN_FOR_S && said instanceof HTMLElement && said.dataset.soon)
      said.textContent = said.dataset.soon;
    element.hidden = seconds > SHOWN_FOR_S;
    digits.textContent = minutesAndSeconds(Math.min(seconds, SHOWN_FOR_S));
    // Another page may have replaced this one.
    if (seconds === 0 || !element.isConnected) clearInterval(timer);
  };
  const timer = setInterval(show, 1000);
  show();
}
