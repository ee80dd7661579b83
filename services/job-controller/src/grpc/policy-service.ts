import type { Clock } from "@drydock/shared/clock.ts";
import { encodeMessage } from "@drydock/shared/encode-message.ts";
import type * as message from "@drydock/shared/gen/drydock/report/v1/policy_service.ts";
import {
  CheckImageResponse,
  type Exception,
  Exception as ExceptionCodec,
} from "@drydock/shared/gen/drydock/report/v1/policy_service.ts";
import { unary } from "@drydock/shared/grpc/handler.ts";
import { oneLine } from "@drydock/shared/plain-text.ts";
import type { UntypedServiceImplementation } from "@grpc/grpc-js";
import { vulnerabilityName } from "../domain/vulnerability-name.ts";
import type { PolicyStore } from "../ports/policy-store.ts";
import type { ReportStore } from "../ports/report-store.ts";
import type { FindReportDeps } from "../usecases/find-report.ts";
import { importVex } from "../usecases/import-vex.ts";
import { listExceptions } from "../usecases/list-exceptions.ts";
import type { PolicyBook } from "../usecases/policy-book.ts";
import type { AnswerMemory, SizedAnswer } from "./answer-memory.ts";
import { AnswerPage } from "./answer-page.ts";
import { type CheckImageDeps, checkImage } from "./check-image.ts";
import { toExceptionMessage, toPolicyMessage } from "./convert-policy.ts";
import type { PolicyDecorator } from "./policy-decorator.ts";
import { validatePage } from "./validate-list.ts";
import * as validate from "./validate-policy.ts";
import { readVexDocument } from "./vex-document.ts";

/** How much of what came of an import is shown. */
const maxShown = { exceptions: 1_000, skipped: 100, skippedLength: 500 };
const maxPageSize = 1_000;
const usualPageSize = 100;

/** What the policy service needs. */
export interface PolicyServiceDeps {
  policies: PolicyStore;
  book: PolicyBook;
  decorator: PolicyDecorator;
  reports: ReportStore;
  queries: CheckImageDeps["queries"];
  pool: FindReportDeps["pool"];
  memory: AnswerMemory;
  clock: Clock;
}

/** drydock.report.v1.PolicyService. */
export function createPolicyService(deps: PolicyServiceDeps): UntypedServiceImplementation {
  const { policies, book, memory, clock } = deps;
  /** Makes a change, which holds for the next image that is judged here. */
  const change = async <T>(make: Promise<T>): Promise<T> => {
    try {
      return await make;
    } finally {
      book.expire();
    }
  };
  return {
    checkImage: unary((request: message.CheckImageRequest, call) =>
      memory.answer<message.CheckImageResponse>(call, async () => {
        const response = await checkImage(deps, request, call.signal);
        return { response, bytes: encodeMessage(CheckImageResponse, response).length };
      }),
    ),
    putPolicy: unary(async ({ policy }: message.PutPolicyRequest): Promise<message.PutPolicyResponse> => {
      const stored = await change(policies.putPolicy(validate.validatePolicy(policy)));
      return { policy: toPolicyMessage(stored) };
    }),
    listPolicies: unary(async (): Promise<message.ListPoliciesResponse> => {
      const all = (await book.fresh()).policies.toSorted((a, b) => (a.name < b.name ? -1 : 1));
      return { policies: all.map(toPolicyMessage) };
    }),
    deletePolicy: unary(async ({ name }: message.DeletePolicyRequest): Promise<message.DeletePolicyResponse> => {
      await change(policies.deletePolicy(validate.validatePolicyName(name)));
      return {};
    }),
    addException: unary(async ({ exception }: message.AddExceptionRequest): Promise<message.AddExceptionResponse> => {
      const stored = await change(policies.putException(validate.validateException(exception, clock.now())));
      return { exception: toExceptionMessage(stored) };
    }),
    listExceptions: unary((request: message.ListExceptionsRequest, call) =>
      memory.answer(call, () => list(deps, request)),
    ),
    deleteException: unary(async ({ id }: message.DeleteExceptionRequest): Promise<message.DeleteExceptionResponse> => {
      await change(policies.deleteException(validate.validateExceptionId(id)));
      return {};
    }),
    importVex: unary((request: message.ImportVexRequest, call) =>
      memory.answer(call, () => change(importDocument(deps, request))),
    ),
  };
}

async function list(
  { book, clock }: PolicyServiceDeps,
  request: message.ListExceptionsRequest,
): Promise<SizedAnswer<message.ListExceptionsResponse>> {
  validate.validateExceptionFilter(request);
  const { repository, withExpired } = request;
  const vulnerability = vulnerabilityName(request.vulnerability);
  const { pageToken, pageSize } = request;
  const page = validatePage({ pageToken, pageSize: pageSize || usualPageSize }, maxPageSize);
  const { exceptions } = await book.fresh();
  const shown = new AnswerPage<Exception>(ExceptionCodec);
  const filter = { vulnerability, repository, withExpired };
  const nextPageToken = listExceptions(exceptions, { filter, page, now: clock.now() }, (exception) =>
    shown.add(toExceptionMessage(exception)),
  );
  return { response: { exceptions: shown.messages, nextPageToken }, bytes: shown.bytes };
}

async function importDocument(
  { policies, book, reports }: PolicyServiceDeps,
  { document, repository }: message.ImportVexRequest,
): Promise<SizedAnswer<message.ImportVexResponse>> {
  validate.validateImportRepository(repository);
  const read = readVexDocument(document);
  const { made, knownCount, skipped } = await importVex({ store: policies, book, reports }, { ...read, repository });
  const shown = new AnswerPage<Exception>(ExceptionCodec);
  for (const exception of made.slice(0, maxShown.exceptions)) if (!shown.add(toExceptionMessage(exception))) break;
  const response = {
    exceptions: shown.messages,
    exceptionCount: made.length,
    knownCount,
    skipped: skipped.slice(0, maxShown.skipped).map((text) => oneLine(text).slice(0, maxShown.skippedLength)),
    skippedCount: skipped.length,
  };
  return { response, bytes: shown.bytes };
}
