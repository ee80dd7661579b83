import { z } from "zod";
import { ApiError } from "./api-error.ts";

const layerEnvelope = z.object({
  Layer: z
    .object({
      Name: z.string().default(""),
      Path: z.string().default(""),
      Headers: z.record(z.string(), z.string()).nullish(),
      ParentName: z.string().default(""),
      Format: z.string().default(""),
    })
    .nullish(),
});

/** A layer to index, as POST /v1/layers brings it. */
export interface LayerRequest {
  name: string;
  /** Where to download it. */
  path: string;
  /** The headers to download it with; credentials among them. */
  headers: Record<string, string>;
  /** Empty for a base layer. */
  parentName: string;
  format: string;
}

/** @throws ApiError with the text of Clair, which is that of Go's JSON decoder */
export function parseLayerRequest(body: string): LayerRequest {
  const parsed = layerEnvelope.safeParse(parseJson(body));
  if (!parsed.success) throw new ApiError(400, `json: cannot unmarshal ${parsed.error.issues[0]?.path.join(".")}`);
  const layer = parsed.data.Layer;
  if (!layer) throw new ApiError(400, "failed to provide layer");
  return {
    name: layer.Name,
    path: layer.Path,
    headers: layer.Headers ?? {},
    parentName: layer.ParentName,
    format: layer.Format,
  };
}

function parseJson(body: string): unknown {
  if (body.trim() === "") throw new ApiError(400, "EOF");
  try {
    return JSON.parse(body);
  } catch (error) {
    const token = /Unexpected token '(.)'/su.exec(String(error))?.[1];
    if (token === undefined) throw new ApiError(400, "unexpected EOF");
    throw new ApiError(400, `invalid character '${token}' looking for beginning of value`);
  }
}
