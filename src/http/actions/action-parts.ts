import { ActionRequests, type ActionRequestsPorts } from './action-requests.ts';
import { type ActionResultPorts, ActionResults } from './action-results.ts';

/** The services for actions. The pages, the API for clients and the calls of the deployment share them. */
export interface ActionParts {
  readonly actionRequests: ActionRequests;
  readonly actionResults: ActionResults;
}

export function makeActionParts(ports: ActionResultPorts & Omit<ActionRequestsPorts, 'actionResults'>): ActionParts {
  const actionResults = new ActionResults(ports);
  return { actionResults, actionRequests: new ActionRequests({ ...ports, actionResults }) };
}
