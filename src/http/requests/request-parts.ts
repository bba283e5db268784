import { type ClientAnswerPorts, ClientAnswers } from './client-answers.ts';
import { Notifier, type NotifierPorts } from './notifier.ts';
import { PendingList, type PendingListPorts } from './pending-list.ts';

/** The parts that the pages, the apps and the clients of requests without a browser have in common. */
export interface RequestParts {
  readonly clientAnswers: ClientAnswers;
  readonly notifier: Notifier;
  readonly pendingList: PendingList;
}

export function makeRequestParts(ports: ClientAnswerPorts & NotifierPorts & PendingListPorts): RequestParts {
  return {
    clientAnswers: new ClientAnswers(ports),
    notifier: new Notifier(ports),
    pendingList: new PendingList(ports),
  };
}
