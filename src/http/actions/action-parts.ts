import { ActionRequests, type ActionRequestsPorts } from './action-requests.ts';
import { type ActionResultPorts, ActionResults } from './action-results.ts';

/** The parts that the pages of actions, their clients and the deployment have in common. */
export interface ActionParts {
  readonly actionRequests: ActionRequests;
  readonly actionResults: ActionResults;
}

export function makeActionParts(ports: ActionResultPorts & Omit<ActionRequestsPorts, 'actionResults'>): ActionParts {
  const actionResults = new ActionResults(ports);
  return { actionResults, actionRequests: new ActionRequests({ ...ports, actionResults }) };
}
