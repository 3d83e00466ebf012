/*
 * The bundled Postgres as one process of ours sees it. Several processes may share it; the server is nobody's child in
 * any sense that matters: it outlives the process that started it, and whoever comes next takes it over.
 *
 *   (no data) --initdb into a draft, rename--> stopped          only inside the gate, as every arrow here
 *   stopped   --start--> ready                                  "starting", then "ready"
 *   (alive)   --recognised by its data folder--> ready          "adopted": another process's, or the orphan of a killed one
 *   ready     --the server dies--> lost --start or adopt--> ready   by every process that is left, the first one starts it
 *   ready     --close(), others are left--> closed              the server goes on for them
 *   ready     --close(), last one out--> stopped                fast shutdown
 *   ready     --kill -9 of this process--> (alive)              its entry in the list of members counts for nothing
 *
 * The gate (gate.ts) orders joining, starting, stopping and leaving among processes; the list of members (members.ts)
 * tells who is left.
 */
import type { Binaries } from "./binaries.ts";
import { findBinariesPackage, prepareBinaries } from "./binaries.ts";
import { SluiceError, toSluiceError } from "../../core/index.ts";
import { connectionUrl } from "./ask-server.ts";
import { checkCluster, createCluster, hasCluster } from "./cluster.ts";
import { withGate } from "./gate.ts";
import { prepareLayout, type Layout } from "./layout.ts";
import { enter, leave, type Role } from "./members.ts";
import { findPostmaster, startPostmaster, stopPostmaster, type Postmaster } from "./postmaster.ts";
import { isAlive } from "./process-identity.ts";
import { boundLog } from "./server-log.ts";
