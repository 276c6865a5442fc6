/// The one catalogue of operations: the server's routes and the client's calls are both made from it.
package enum Operation: String, Sendable, CaseIterable {
    case validateBlueprint, renderBlueprint
    case applyLayer, listLayers, getLayer, layerHistory, deleteLayer
    case createEnvironment, listEnvironments, getEnvironment, patchEnvironment, deleteEnvironment
    case stopEnvironment, resumeEnvironment, restartEnvironment, retryEnvironment, undoEnvironment
    case repairEnvironment, deleteOrphan
    case updateEnvironment, scaleEnvironment, environmentRevisions, rollbackEnvironment, rebaseEnvironment
    case environmentDifference
    case environmentStatus, environmentResolutions, environmentPlan, environmentGraph, environmentExplain,
        environmentExecutions
    case environmentEvents, environmentHistory, environmentLogs, environmentCalls, environmentMetrics
    case environmentTraces, environmentTrace
    case environmentDiagnosis, environmentDeviations, listDeviations
    case environmentExec
    case createBaseline, listBaselines, getBaseline, baselineRevisions
    case createOverlay, listOverlays
    case getExecution, cancelExecution
    case routingTable
    case health, ready, metrics

    package var method: String {
        switch self {
        case .validateBlueprint, .renderBlueprint, .applyLayer, .createEnvironment, .createBaseline, .createOverlay,
            .stopEnvironment,
            .resumeEnvironment, .retryEnvironment, .undoEnvironment, .cancelExecution, .restartEnvironment,
            .updateEnvironment, .scaleEnvironment, .repairEnvironment, .rollbackEnvironment, .rebaseEnvironment:
            "POST"
        case .deleteEnvironment, .deleteOrphan, .deleteLayer: "DELETE"
        case .patchEnvironment: "PATCH"
        default: "GET"
        }
    }

    /// Path with `{parameters}`; every parameter is an id or a name.
    package var path: String {
        switch self {
        case .validateBlueprint: "/v1/blueprints/validate"
        case .renderBlueprint: "/v1/blueprints/render"
        case .applyLayer, .listLayers: "/v1/layers"
        case .getLayer, .deleteLayer: "/v1/layers/{layer}"
        case .layerHistory: "/v1/layers/{layer}/revisions"
        case .createEnvironment, .listEnvironments: "/v1/environments"
        case .getEnvironment, .patchEnvironment, .deleteEnvironment: "/v1/environments/{environment}"
        case .stopEnvironment: "/v1/environments/{environment}/stop"
        case .resumeEnvironment: "/v1/environments/{environment}/resume"
        case .restartEnvironment: "/v1/environments/{environment}/restart"
        case .repairEnvironment: "/v1/environments/{environment}/repair"
        case .deleteOrphan: "/v1/orphans/{environment}"
        case .retryEnvironment: "/v1/environments/{environment}/retry"
        case .undoEnvironment: "/v1/environments/{environment}/undo"
        case .updateEnvironment, .environmentRevisions: "/v1/environments/{environment}/revisions"
        case .rollbackEnvironment: "/v1/environments/{environment}/rollback"
        case .rebaseEnvironment: "/v1/environments/{environment}/rebase"
        case .environmentDifference: "/v1/environments/{environment}/difference"
        case .scaleEnvironment: "/v1/environments/{environment}/scale"
        case .environmentStatus: "/v1/environments/{environment}/status"
        case .environmentResolutions: "/v1/environments/{environment}/resolutions"
        case .environmentPlan: "/v1/environments/{environment}/plan"
        case .environmentGraph: "/v1/environments/{environment}/graph"
        case .environmentExplain: "/v1/environments/{environment}/explain"
        case .environmentExecutions: "/v1/environments/{environment}/executions"
        case .environmentEvents: "/v1/environments/{environment}/events"
        case .environmentHistory: "/v1/environments/{environment}/history"
        case .environmentLogs: "/v1/environments/{environment}/logs"
        case .environmentCalls: "/v1/environments/{environment}/calls"
        case .environmentTraces: "/v1/environments/{environment}/traces"
        case .environmentTrace: "/v1/environments/{environment}/traces/{trace}"
        case .environmentDiagnosis: "/v1/environments/{environment}/diagnosis"
        case .environmentDeviations: "/v1/environments/{environment}/deviations"
        case .listDeviations: "/v1/deviations"
        case .environmentExec: "/v1/environments/{environment}/exec"
        case .environmentMetrics: "/v1/environments/{environment}/metrics"
        case .createBaseline, .listBaselines: "/v1/baselines"
        case .getBaseline: "/v1/baselines/{baseline}"
        case .baselineRevisions: "/v1/baselines/{baseline}/revisions"
        case .createOverlay, .listOverlays: "/v1/baselines/{baseline}/overlays"
        case .getExecution: "/v1/executions/{execution}"
        case .cancelExecution: "/v1/executions/{execution}/cancel"
        case .routingTable: "/v1/routing-table"
        case .health: "/v1/health"
        case .ready: "/v1/ready"
        case .metrics: "/metrics"
        }
    }

    /// One line for reference pages.
    package var summary: String {
        switch self {
        case .validateBlueprint: "Checks a Blueprint and reports every problem; changes nothing."
        case .renderBlueprint:
            "What a Blueprint comes to with its layers, over a parent where one is named. Query: provenance. Changes nothing."
        case .applyLayer: "Registers a layer, or a new revision of it; the same text again is none."
        case .listLayers: "The newest revision of every registered layer, by name."
        case .getLayer: "One layer with its text, by name or `name@revision`, and who uses it."
        case .layerHistory: "The revisions of a layer, oldest first."
        case .deleteLayer: "Removes a layer with all its revisions; refused while something uses it. Query: dryRun."
        case .createEnvironment: "Creates an environment from a Blueprint. 202 with the execution."
        case .listEnvironments: "Lists environments by name. Query: mode, label (key=value), limit, cursor, brief."
        case .getEnvironment: "One environment, by id or name."
        case .patchEnvironment:
            "Changes when it ends, and protects it: `{expiry: {ttlMilliseconds | until | never}, protected, dryRun}`."
        case .deleteEnvironment: "Deletes an environment and all that it has. 202 with the execution. Query: dryRun."
        case .stopEnvironment: "Stops what it runs; data, ports and logs stay. 202, or 200 where it is stopped."
        case .resumeEnvironment: "Starts a stopped environment again. 202, or 200 where it runs."
        case .restartEnvironment:
            "Starts services anew in place: `{services, dryRun}`; without services, all its own. 202."
        case .repairEnvironment:
            "Mends its open deviations once, whatever its Blueprint's `repair` says; gives up lost volumes of one that does not run."
        case .deleteOrphan:
            "Removes, with its data, what the runtime has of an environment that does not exist. 200 when it is gone."
        case .retryEnvironment: "Goes on with a create or resume that failed, from where it failed. 202."
        case .undoEnvironment: "Takes back what a create or resume that failed or is under way has done. 202."
        case .updateEnvironment:
            "Makes it into another revision, from a Blueprint. 202, or 200 where it is so or stopped. If-Match: revision."
        case .scaleEnvironment: "Sets how many copies of services run: `{replicas: {service: n}}`. 202 or 200."
        case .environmentRevisions: "Its revisions, newest first, each with what it changed."
        case .rollbackEnvironment:
            "Makes what an earlier revision wanted a new one: `{revision, allow, dryRun}`. 202 or 200."
        case .rebaseEnvironment:
            "Brings an overlay onto its parent's present revision: `{keepMine, allow, dryRun}`. 202 or 200."
        case .environmentDifference:
            "How another environment or revision differs from it, field by field. Query: to (`<name>[@<revision>]`), revision."
        case .environmentStatus: "The same as getEnvironment, observed afresh."
        case .environmentResolutions: "Who answers for each service, and why."
        case .environmentPlan:
            "What starts with it and what when it is needed, with reasons; the steps that make it. Query: review=true."
        case .environmentGraph: "Its services and who reaches whom, as declared, referred to, inferred and observed."
        case .environmentExplain:
            "Where the values of the composed Blueprint come from, or one of them, with defaults and removals. Query: path."
        case .environmentExecutions: "Its executions with their steps, oldest first."
        case .environmentEvents: "Server-sent events: the state now and after every change."
        case .environmentHistory:
            "What happened to it, oldest first, also when it is gone. Query: after, since, limit; follow for JSON lines."
        case .environmentLogs:
            "Log lines as JSON lines, oldest first. Query: service (by comma), follow, since, tail, previous."
        case .environmentCalls: "Who called whom in it, in which context, and who answered."
        case .environmentTraces:
            "Requests with what followed from them, newest first. Query: since, limit, status (500, 5xx, error), service (by comma), minDurationMilliseconds, leaks."
        case .environmentTrace: "One of them with its hops, by its id or the beginning of one."
        case .environmentDiagnosis: "What is wrong with it, why, and what mends it. Changes nothing."
        case .environmentDeviations:
            "What was found to differ from what is wanted, and what became of it; last seen first. Query: state."
        case .listDeviations: "The same of every environment, and orphans. Query: state."
        case .environmentExec: "Runs a command in a service, over a WebSocket. Query: service. See below."
        case .environmentMetrics:
            "What each service uses just now, and the requests to it. Query: service (by comma)."
        case .createBaseline: "Creates a baseline. 202 with the execution."
        case .listBaselines: "Lists baselines by name."
        case .getBaseline: "One baseline, by id or name."
        case .baselineRevisions: "A baseline's revisions, newest first, each with what it changed."
        case .createOverlay: "Creates an overlay on a baseline or another overlay. 202 with the execution."
        case .listOverlays: "Lists the overlays on a baseline, direct and indirect."
        case .getExecution: "One execution with its steps."
        case .cancelExecution: "Cancels an execution that is under way, and undoes what it did. 202."
        case .routingTable:
            "For gateways that follow this server: what is newer than the table of a cursor, whole or as a delta. Query: after, wait (seconds)."
        case .health: "Answers while the server lives. No token needed; without one it says no more."
        case .ready: "200 when it can take work, else 503 with the reason of each part that cannot. No token needed."
        case .metrics: "Metrics in Prometheus' text format 0.0.4."
        }
    }

    /// The path with its parameters filled in, percent-encoded by the caller where needed.
    package func path(_ parameters: String...) -> String { filled(parameters) }

    package func filled(_ parameters: [String]) -> String {
        var remaining = parameters[...]
        return path.split(separator: "/", omittingEmptySubsequences: false).map { part in
            part.hasPrefix("{") ? remaining.popFirst() ?? String(part) : String(part)
        }.joined(separator: "/")
    }

    /// What the contract names and is not built yet: answered `501 not_supported_yet`, never as if it did not exist.
    package static let planned: [(method: String, path: String)] = [
        ("GET", "/v1/openapi.json")
    ]
}
