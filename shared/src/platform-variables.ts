import { isIP } from "node:net";

type Form = (value: string) => boolean;

const isAddress: Form = (value) => isIP(value) !== 0;
const isPort: Form = (value) => /^\d{1,5}$/.test(value);
const isProtocol: Form = (value) => /^(?:tcp|udp|sctp)$/.test(value);
const isServiceUrl: Form = (value) => /^(?:tcp|udp|sctp):\/\/\S+:\d{1,5}$/.test(value);

/** What follows the name of a Service in the variables that Kubernetes sets for it, and the form of their values. */
const forms: ReadonlyArray<[suffix: RegExp, form: Form]> = [
  [/_SERVICE_HOST$/, isAddress],
  [/_SERVICE_PORT(?:_[A-Z0-9_]+)?$/, isPort],
  [/_PORT(?:_\d+_(?:TCP|UDP|SCTP))?$/, isServiceUrl],
  [/_PORT_\d+_(?:TCP|UDP|SCTP)_PROTO$/, isProtocol],
  [/_PORT_\d+_(?:TCP|UDP|SCTP)_PORT$/, isPort],
  [/_PORT_\d+_(?:TCP|UDP|SCTP)_ADDR$/, isAddress],
];

/**
 * Whether Kubernetes has set the variable: it tells every container of a namespace of the Services in it, such as
 * DRYDOCK_CONTROLLER_SERVICE_HOST=10.0.0.1 of a Service named drydock-controller. Name and value must both have the form.
 */
export function isPlatformVariable(name: string, value: string): boolean {
  return forms.some(([suffix, hasForm]) => suffix.test(name) && hasForm(value));
}
