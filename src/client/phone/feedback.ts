/** Feedback that the user of a phone feels and hears. Browsers allow neither before the user has touched the page. */

/** Vibrations, as milliseconds of vibration and pause in turn, and the pitch of a tone in hertz. */
const FEEDBACK = {
  done: { vibration: [40], pitch: 880 },
  success: { vibration: [40, 60, 40], pitch: 1175 },
  stopped: { vibration: [160], pitch: 330 },
} as const;

const TONE_S = 0.12;
const LOUDNESS = 0.04;

export type Feedback = keyof typeof FEEDBACK;

/** Vibrates, unless the user wants less motion, and sounds a quiet tone. Does nothing where the browser refuses. */
export function giveFeedback(kind: Feedback): void {
  // Chromium reports refused feedback as an error of the page, so give none before the user has touched the page. A
  // browser without this API cannot tell whether that has happened, and gets no feedback.
  if (navigator.userActivation?.hasBeenActive !== true) return;
  const { vibration, pitch } = FEEDBACK[kind];
  if (!matchMedia('(prefers-reduced-motion: reduce)').matches) navigator.vibrate?.([...vibration]);
  if ('AudioContext' in globalThis) sound(pitch);
}

function sound(pitch: number): void {
  const audio = new AudioContext();
  const tone = audio.createOscillator();
  const volume = audio.createGain();
  tone.frequency.value = pitch;
  volume.gain.setValueAtTime(LOUDNESS, audio.currentTime);
  // Without a fade, the end of a tone clicks.
  volume.gain.exponentialRampToValueAtTime(0.0001, audio.currentTime + TONE_S);
  tone.connect(volume).connect(audio.destination);
  tone.onended = () => void audio.close();
  tone.start();
  tone.stop(audio.currentTime + TONE_S);
}
