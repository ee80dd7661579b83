import { ErrorInfo } from "@drydock/shared/gen/google/rpc/error_details.ts";
import { Status } from "@drydock/shared/gen/google/rpc/status.ts";
import { detailsKey, toServiceError } from "@drydock/shared/grpc/status.ts";

/** Maximum length of the text of a brief error. */
const maxBriefLength = 256;
const errorInfoType = "type.googleapis.com/google.rpc.ErrorInfo";
const retryInfoType = "type.googleapis.com/google.rpc.RetryInfo";

/** An error as one of many results of a call, as the call alone would have failed with. */
export function toStatus(thrown: unknown): Status {
  const { code, details, metadata } = toServiceError(thrown).error;
  const [bytes] = metadata.get(detailsKey);
  return Buffer.isBuffer(bytes) ? Status.decode(bytes) : { code, message: details, details: [] };
}

/** The error with its reason and when to try again: 1,000 of them fit in an answer. */
export function toBriefStatus({ code, message, details }: Status): Status {
  const kept = details.flatMap((detail) => {
    if (detail.typeUrl === retryInfoType) return [detail];
    if (detail.typeUrl !== errorInfoType) return [];
    const { reason, domain } = ErrorInfo.decode(detail.value);
    return [{ ...detail, value: Buffer.from(ErrorInfo.encode({ reason, domain, metadata: {} }).finish()) }];
  });
  return { code, message: message.slice(0, maxBriefLength).toWellFormed(), details: kept };
}
