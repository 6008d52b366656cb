/**
 * Network coordinates: each node finds a place such that the distance of two places estimates the round trip between
 * their nodes (docs/spec/serf.md 16).
 *
 * @module
 */

export { CoordinateClient } from "./client.ts";
export { type Coordinate, CoordinateError, distance } from "../../protocol/coordinate.ts";
export { DIMENSIONS } from "./coordinate.ts";
