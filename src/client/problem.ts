/**
 * The script of the error page: shows the time until a retry is allowed, and a Back button where the page has no link.
 */
import { minutesAndSeconds } from './time/minutes-and-seconds.ts';

const wait = document.querySelector<HTMLElement>('[data-wait]');
const countdown = wait?.querySelector<HTMLElement>('[data-countdown]');
const time = countdown?.querySelector<HTMLElement>('[data-time]');
const ring = countdown?.querySelector<SVGElement>('[data-left]');

if (wait && countdown && time) {
  const lasts = Number(countdown.dataset.countdown);
  const endsAt = Date.now() + lasts * 1000;

  const show = (): void => {
    const seconds = Math.max(0, Math.ceil((endsAt - Date.now()) / 1000));
    time.textContent = minutesAndSeconds(seconds);
    if (ring) ring.style.strokeDashoffset = `${100 - (100 * seconds) / lasts}`;
    if (seconds > 0) return;
    clearInterval(timer);
    countdown.hidden = true;
    const said = wait.querySelector<HTMLElement>('[role=status]');
    if (said === null) return;
    said.classList.remove('sr-only');
    said.textContent = wait.dataset.wait ?? '';
  };
  const timer = setInterval(show, 1000);
  countdown.hidden = false;
  show();
}

const back = document.querySelector<HTMLButtonElement>('[data-back]');
if (back !== null && history.length > 1) {
  back.hidden = false;
  back.addEventListener('click', () => history.back());
}
