import API
import Blueprints
import EnvironmentGraph
import Foundation
import HTTPTransport

extension APIHandler {
    func carryOut(_ call: APICall) async throws -> HTTPResponse {
        let query = call.request.query
        let subject = call.parameters.first ?? ""
        switch call.operation {
        case .health:
            return call.actor == Self.anyone ? call.reply(data: AliveView()) : call.reply(data: await health())
        case .ready: return try await ready(call)
        case .metrics:
            let fields = HTTPFields([(name: "content-type", value: MetricsText.contentType)])
            return HTTPResponse(status: 200, fields: fields, body: .bytes(Array(try await exposition().utf8)))
        case .routingTable: return try await routingTable(call)
        case .validateBlueprint: return call.reply(data: try await operations.validate(call.decode(CreateRequest.self)))
        case .renderBlueprint, .applyLayer, .listLayers, .getLayer, .layerHistory, .deleteLayer:
            return try await layers(call)
        case .createEnvironment: return try await create(call, mode: nil, parent: nil)
        case .createBaseline: return try await create(call, mode: .baseline, parent: nil)
        case .createOverlay: return try await create(call, mode: .overlay, parent: subject)
        case .listEnvironments: return try await list(call, try Self.modes(query["mode"]))
        case .listBaselines: return try await list(call, [.baseline])
        case .listOverlays: return call.reply(data: try await operations.overlays(on: subject))
        case .getEnvironment: return call.reply(data: try await operations.detail(of: subject))
        case .environmentStatus: return call.reply(data: try await operations.view(of: subject))
        case .getBaseline: return call.reply(data: try await operations.baseline(subject))
        case .stopEnvironment: return try await change(call, .stop)
        case .resumeEnvironment: return try await change(call, .resume)
        case .retryEnvironment: return try await change(call, .retry)
        case .undoEnvironment: return try await change(call, .undo)
        case .patchEnvironment: return try await patch(call)
        case .updateEnvironment: return try await update(call)
        case .scaleEnvironment:
            let request = try call.decode(ScaleRequest.self)
            return try await operations.scale(subject, request, call) { call.reply($0, data: $1) }
        case .environmentRevisions: return call.reply(data: try await operations.revisions(of: subject))
        case .baselineRevisions:
            return call.reply(data: try await operations.revisions(of: try await operations.baseline(subject).id))
        case .rollbackEnvironment:
            try call.refuseParameters()
            let request = try call.decode(RollbackRequest.self)
            return try await operations.rollback(subject, request, call) { call.reply($0, data: $1) }
        case .rebaseEnvironment:
            try call.refuseParameters()
            let request = call.request.body.isEmpty ? RebaseRequest() : try call.decode(RebaseRequest.self)
            return try await operations.rebase(subject, request, call) { call.reply($0, data: $1) }
        case .environmentDifference: return try await difference(call, from: subject)
        case .deleteEnvironment: return try await change(call, .delete)
        case .environmentResolutions: return call.reply(data: try await operations.resolutions(of: subject))
        case .environmentPlan:
            try call.refuseParameters(except: "review")
            guard [nil, "true", "false"].contains(query["review"]) else {
                throw APIProblem(.invalidRequest, "review is true or false")
            }
            return call.reply(data: try await operations.plan(of: subject, isReview: query["review"] == "true"))
        case .environmentGraph: return call.reply(data: try await operations.graph(of: subject))
        case .environmentExplain:
            return call.reply(data: try await operations.explain(subject, path: query["path"] ?? ""))
        case .environmentExecutions: return call.reply(data: try await operations.executions(of: subject))
        case .environmentCalls: return call.reply(data: try await operations.calls(of: subject))
        case .environmentTraces:
            try call.refuseParameters(
                except: "since", "limit", "status", "service", "minDurationMilliseconds", "leaks")
            return call.reply(data: try await operations.traces(of: subject, query))
        case .environmentTrace:
            return call.reply(data: try await operations.trace(call.parameters[1], of: subject))
        case .environmentDiagnosis: return call.reply(data: try await operations.diagnose(subject))
        case .environmentDeviations:
            return call.reply(data: try await operations.deviations(of: subject, state: query["state"]))
        case .listDeviations:
            return call.reply(data: try await operations.deviations(of: nil, state: query["state"]))
        case .repairEnvironment:
            let open = try await operations.repair(subject, call)
            return call.reply(open.isEmpty ? 200 : 202, data: open)
        case .deleteOrphan: return call.reply(data: try await operations.deleteOrphan(subject, call))
        case .restartEnvironment:
            try call.refuseParameters()
            let request = call.request.body.isEmpty ? RestartRequest() : try call.decode(RestartRequest.self)
            return try await operations.restart(subject, request, call) { call.reply($0, data: $1) }
        case .environmentMetrics: return call.reply(data: try await operations.metrics(of: subject, query["service"]))
        case .getExecution: return call.reply(data: try await operations.execution(subject))
        case .cancelExecution: return try await change(call, .undo, of: try await operations.underWay(subject))
        case .environmentEvents: return try await events(subject)
        case .environmentHistory: return try await history(subject, call)
        case .environmentLogs: return try await logs(subject, call)
        case .environmentExec: return try await exec(subject, call)
        }
    }

    private func ready(_ call: APICall) async throws -> HTTPResponse {
        let view = ReadyView(await readiness())
        guard !view.ready else { return call.reply(data: view) }
        let details = view.parts.compactMap { part in part.reason.map { ErrorDetail(message: $0, code: part.name) } }
        throw APIProblem(
            .unavailable,
            "the server is not ready: \(details.map { "\($0.code ?? "") \($0.message)" }.joined(separator: "; "))",
            hint: "microstax doctor", details: details)
    }

    /// A question waits for a minute at most.
    private func routingTable(_ call: APICall) async throws -> HTTPResponse {
        try call.refuseParameters(except: "after", "wait")
        let wait = try Self.number("wait", call.request.query) ?? 0
        guard wait <= 60 else { throw APIProblem(.invalidRequest, "wait is a number of seconds from 0 to 60") }
        return call.reply(data: await tableNews(call.request.query["after"], .seconds(wait)))
    }

    private func create(_ call: APICall, mode: EnvironmentMode?, parent: String?) async throws -> HTTPResponse {
        try call.refuseParameters()
        let request = try call.decode(CreateRequest.self)
        guard request.folder.hasPrefix("/") else {
            throw APIProblem(.invalidRequest, "folder is an absolute path")
        }
        let status = request.dryRun ? 200 : 202
        return try await operations.create(request, mode: mode, parent: parent, call) { call.reply(status, data: $0) }
    }

    private func difference(_ call: APICall, from subject: String) async throws -> HTTPResponse {
        try call.refuseParameters(except: "to", "revision")
        guard let other = call.request.query["to"] else {
            throw APIProblem(.invalidRequest, "differs from what?", hint: "give ?to=<name> or ?to=<name>@<revision>")
        }
        let first = subject + (call.request.query["revision"].map { "@\($0)" } ?? "")
        return call.reply(data: try await operations.difference(from: first, to: other))
    }

    private func update(_ call: APICall) async throws -> HTTPResponse {
        try call.refuseParameters()
        let request = try call.decode(CreateRequest.self)
        guard request.folder.hasPrefix("/") else { throw APIProblem(.invalidRequest, "folder is an absolute path") }
        return try await operations.update(call.parameters[0], request, call) {
            call.reply($0, data: $1)
        }
    }

    /// A DELETE says by parameter what the others say in their body.
    private func change(
        _ call: APICall, _ command: EnvironmentCommand, of environment: String? = nil
    ) async throws -> HTTPResponse {
        try call.refuseParameters(except: "dryRun")
        var request = call.request.body.isEmpty ? ChangeRequest() : try call.decode(ChangeRequest.self)
        request.dryRun = try request.dryRun || call.flag("dryRun")
        return try await operations.change(command, environment ?? call.parameters[0], request, call) {
            call.reply($0, data: $1)
        }
    }

    private func list(_ call: APICall, _ modes: Set<EnvironmentMode>) async throws -> HTTPResponse {
        let query = call.request.query
        let limit = try query["limit"].map { text in
            guard let number = Int(text), (1...1000).contains(number) else {
                throw APIProblem(.invalidRequest, "limit is a number from 1 to 1000")
            }
            return number
        }
        let page = try await operations.list(
            modes: modes, label: query["label"], limit: limit ?? 1000, cursor: query["cursor"],
            brief: try call.flag("brief"))
        return call.reply(next: page.next, data: page.views)
    }

    private static func modes(_ text: String?) throws -> Set<EnvironmentMode> {
        guard let text else { return Set(EnvironmentMode.allCases) }
        guard let mode = EnvironmentMode(rawValue: text) else {
            throw APIProblem(
                .invalidRequest, "there is no mode \(shortened(text))", hint: "isolated, baseline, overlay")
        }
        return [mode]
    }
}
