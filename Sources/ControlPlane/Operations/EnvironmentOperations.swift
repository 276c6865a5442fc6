import API
import Blueprints
import EnvironmentGraph
import Foundation
import HTTPTransport
import Orchestration
import Runtimes
import Storage

/// What the API can do with environments; knows no HTTP.
struct EnvironmentOperations: Sendable {
    let store: any Store
    let runtime: any Runtime
    let board: StatusBoard
    let orchestrator: Orchestrator
    let vault: SecretVault
    let gateway: GatewayKeeper
    let outside: Outside
    let calls: CallKeeper
    /// See ``ConflictFinding/region``.
    var region: String?
    let execs = ExecSessions()

    // MARK: Changing

    /// - Parameter reply: makes the response, which is stored in the same transaction where the call has a key.
    func create(
        _ request: CreateRequest, mode: EnvironmentMode?, parent: String?, _ call: APICall,
        reply: @escaping @Sendable (AcceptedView) -> HTTPResponse
    ) async throws -> HTTPResponse {
        let prepared = try await creation.prepare(request, mode: mode, parent: parent)
        var view = EnvironmentView(
            prepared.record, prepared.lineage, board: board, edgePort: gateway.edgePort,
            execution: prepared.execution.id.rawValue)
        if request.dryRun {
            view.id = ""
            view.execution = nil
        }
        let shown = view
        let answer = { @Sendable (warnings: [ErrorDetail]) in
            reply(
                AcceptedView(
                    environment: shown, execution: request.dryRun ? nil : ExecutionView(prepared.execution),
                    plan: prepared.execution.steps.map { StepView($0) },
                    difference: prepared.record.difference.entries.map { DifferenceView($0) },
                    warnings: prepared.warnings + warnings
                ).predicted(prepared))
        }
        let allow = try ConflictFinding.accepted(request.allow)
        if request.dryRun { return answer(try await creation.check(prepared, allow: allow)) }
        let response = try await creation.commit(prepared, allow: allow, call, answer)
        await orchestrator.submit(prepared.execution)
        return response
    }

    var creation: Creation {
        Creation(store: store, vault: vault, outside: outside, region: region) { [store, gateway] root in
            // A gateway that does not answer is no sign of services that forget nothing.
            let counts = try await gateway.counts()
            let lineage = try await store.read { store in
                try store.environments().filter { record in
                    try record.id == root
                        || Lineage(of: record, find: { try store.environment($0) })?.root.id == root
                }.map(\.id)
            }
            return counts.forgetfulCallers(in: Set(lineage), root: root)
        }
    }

    /// Stops, resumes, retries, undoes or deletes. `200` where it is so already or for a dry run, else `202`.
    ///
    /// - Parameter reply: makes the response, which is stored in the same transaction where the call has a key.
    func change(
        _ command: EnvironmentCommand, _ named: String, _ request: ChangeRequest, _ call: APICall,
        reply: @escaping @Sendable (Int, ChangeView) -> HTTPResponse
    ) async throws -> HTTPResponse {
        let change = Change(
            store: store, outside: outside, command: command, allow: Set(request.allow),
            update: update(Set(request.allow)))
        return try await self.change(change, named, request, call, reply)
    }

    /// Services anew, in place.
    func restart(
        _ named: String, _ request: RestartRequest, _ call: APICall,
        reply: @escaping @Sendable (Int, ChangeView) -> HTTPResponse
    ) async throws -> HTTPResponse {
        let change = Change(store: store, outside: outside, command: .restart, services: Set(request.services))
        return try await self.change(change, named, ChangeRequest(dryRun: request.dryRun), call, reply)
    }

    private func change(
        _ change: Change, _ named: String, _ request: ChangeRequest, _ call: APICall,
        _ reply: @escaping @Sendable (Int, ChangeView) -> HTTPResponse
    ) async throws -> HTTPResponse {
        let id = try await picture(of: named).record.id
        if request.dryRun { return try await dryRun(try await change.prepare(id), [], reply) }
        let (prepared, response) = try await change.commit(id, call) { prepared, store in
            reply(prepared.execution == nil ? 200 : 202, try view(prepared, [], dryRun: false, store))
        }
        return await begun(prepared, response)
    }

    /// Another revision, by a Blueprint. `200` where it is so already, where the environment is stopped, or for a dry run.
    func update(
        _ named: String, _ request: CreateRequest, _ call: APICall,
        reply: @escaping @Sendable (Int, ChangeView) -> HTTPResponse
    ) async throws -> HTTPResponse {
        let record = try await picture(of: named).record
        try call.checkRevision(record)
        guard request.focus.isEmpty else {
            throw APIProblem(
                .invalidRequest, "the focus of \(record.name) is said when it is created, and stays",
                hint: "what is cold starts on its first request; or create another one with --focus")
        }
        let update = update(try ConflictFinding.accepted(request.allow))
        let wish = try await update.wish(request, for: record)
        return try await realise(update, wish, record.id, request.dryRun, call, reply)
    }

    func scale(
        _ named: String, _ request: ScaleRequest, _ call: APICall,
        reply: @escaping @Sendable (Int, ChangeView) -> HTTPResponse
    ) async throws -> HTTPResponse {
        let record = try await picture(of: named).record
        let update = update([])
        let wish = try update.wish(replicas: request.replicas, for: record)
        return try await realise(update, wish, record.id, request.dryRun, call, reply)
    }

    func update(_ allow: Set<String>) -> Update {
        Update(creation: creation, allow: allow)
    }

    func realise(
        _ update: Update, _ wish: Update.Wish, _ id: EnvironmentID, _ isDryRun: Bool, _ call: APICall,
        _ reply: @escaping @Sendable (Int, ChangeView) -> HTTPResponse
    ) async throws -> HTTPResponse {
        if isDryRun { return try await dryRun(try await update.prepare(wish, id), wish.warnings, reply) }
        let (prepared, response) = try await update.commit(wish, id, call) { prepared, store in
            let status = prepared.execution == nil ? 200 : 202
            return reply(status, try view(prepared, wish.warnings, dryRun: false, store))
        }
        return await begun(prepared, response)
    }

    private func dryRun(
        _ prepared: Change.Prepared, _ warnings: [ErrorDetail], _ reply: @Sendable (Int, ChangeView) -> HTTPResponse
    ) async throws -> HTTPResponse {
        reply(200, try await store.read { try view(prepared, warnings, dryRun: true, $0) })
    }

    private func begun(_ prepared: Change.Prepared, _ response: HTTPResponse) async -> HTTPResponse {
        board.ring(prepared.record.id)
        if let execution = prepared.execution {
            await orchestrator.submit(execution)
        } else if prepared.isChanged {
            orchestrator.routesHaveChanged()
        }
        return response
    }

    private func view(
        _ prepared: Change.Prepared, _ warnings: [ErrorDetail], dryRun: Bool, _ store: any StoreReading
    ) throws -> ChangeView {
        let picture = try EnvironmentPicture(prepared.record, in: store)
        let execution = prepared.execution.map { ExecutionView($0) }
        return ChangeView(
            environment: EnvironmentView(picture, board: board, edgePort: gateway.edgePort),
            execution: dryRun ? nil : execution, plan: execution?.steps ?? [], isChanged: prepared.isChanged,
            warnings: warnings + prepared.warnings)
    }

    // MARK: Reading

    func picture(of named: String) async throws -> EnvironmentPicture {
        try await store.read { store in
            let found = try store.environment(named: named) ?? store.environment(EnvironmentID(rawValue: named))
            guard let record = found else {
                let names = try store.names().values.sorted()
                throw APIProblem(
                    .notFound, "there is no environment \(shortened(named))",
                    hint: names.isEmpty ? "there is none yet" : "there is: \(names.prefix(10).joined(separator: ", "))")
            }
            return try EnvironmentPicture(record, in: store)
        }
    }

    func view(of named: String) async throws -> EnvironmentView {
        .whole(try await picture(of: named), board: board, edgePort: gateway.edgePort)
    }

    /// With the layers that it is composed of.
    func detail(of named: String) async throws -> EnvironmentView {
        let picture = try await picture(of: named)
        var view = EnvironmentView.whole(picture, board: board, edgePort: gateway.edgePort)
        let revision = try await store.read { try $0.revision(picture.record.revision, of: picture.record.id) }
        view.layers = revision?.layers?.map(\.description)
        return view
    }

    /// Sorted by name. `label` is `key=value`; `brief` counts the services instead of showing each.
    func list(
        modes: Set<EnvironmentMode>, label: String?, limit: Int, cursor: String?, brief: Bool
    ) async throws -> (views: [EnvironmentView], next: String?) {
        let parts = label.map { $0.split(separator: "=", maxSplits: 1).map(String.init) }
        let pictures = try await store.read { store in
            var (found, last): ([EnvironmentRecord], String) = ([], cursor ?? "")
            // A page at a time: with a label, most of what is read may be somebody else's.
            while found.count <= limit {
                let next = try store.environments(after: last, modes: modes, limit: limit + 1 - found.count)
                guard let end = next.last else { break }
                last = end.name
                found += next.filter { record in
                    guard let parts else { return true }
                    return record.spec.labels[parts.first ?? ""] == (parts.count > 1 ? parts[1] : "")
                }
            }
            return try found.map { try EnvironmentPicture($0, in: store) }
        }
        let page = pictures.prefix(limit).map { picture in
            var view = EnvironmentView(picture, board: board, edgePort: gateway.edgePort, isBrief: brief)
            if brief { view.summariseServices() }
            return view
        }
        return (page, pictures.count > limit ? page.last?.name : nil)
    }

    func resolutions(of named: String) async throws -> [ResolutionView] {
        let lineage = try await picture(of: named).lineage
        return lineage.services.map { ResolutionView(lineage.resolve($0)) }
    }

    func executions(of named: String) async throws -> [ExecutionView] {
        let id = try await picture(of: named).record.id
        return try await store.read { try $0.executions(of: id) }.map { ExecutionView($0) }
    }

    func execution(_ id: String) async throws -> ExecutionView {
        guard let record = try await store.read({ try $0.execution(ExecutionID(rawValue: id)) }) else {
            throw APIProblem(.notFound, "there is no execution \(shortened(id))")
        }
        return ExecutionView(record)
    }

    /// The environment that an execution works on.
    ///
    /// - Throws: ``APIProblem`` where there is no such execution, or it has ended.
    func underWay(_ id: String) async throws -> String {
        let record = try await store.read { try $0.execution(ExecutionID(rawValue: id)) }
        guard let record else { throw APIProblem(.notFound, "there is no execution \(shortened(id))") }
        guard !record.state.isFinal else {
            throw APIProblem(
                .wrongState, "\(id) has ended: \(record.state.rawValue)",
                hint: record.state == .failed ? "microstax env undo \(record.environment)" : nil)
        }
        return record.environment.rawValue
    }

    func explain(_ named: String, path: String) async throws -> [ExplanationView] {
        let record = try await picture(of: named).record
        let revision = try await store.read { try $0.revision(record.revision, of: record.id) }
        guard let revision else { throw APIProblem(.internalError, "the Blueprint of \(record.name) is missing") }
        let wanted = revision.spec ?? record.spec
        let found = try vault.document(of: revision).explain(path, spec: wanted).map { found in
            let parts = found.path.split(separator: ".").map(String.init)
            guard parts.count == 3, parts[0] == "services", parts[2] == "replicas",
                let count = record.spec.service(parts[1])?.replicas, count != wanted.service(parts[1])?.replicas
            else { return found }
            return found.replaced(by: "\(count)", layer: "scale", reason: "set by `microstax env scale`")
        }
        guard !found.isEmpty else {
            throw APIProblem(
                .notFound, "the Blueprint of \(record.name) says nothing at \(shortened(path))",
                hint: "paths are such as services.\(record.spec.services.first?.name ?? "api").command")
        }
        return found.map { ExplanationView($0) }
    }

    /// Who called whom in an environment's addresses or context, and who answered.
    func calls(of named: String) async throws -> [CallView] {
        let id = try await picture(of: named).record.id
        let counts = try await gateway.counts()
        let names = try await store.read { try $0.names() }
        return counts.filter { $0.callerEnvironment == id || $0.context == id || $0.provider == id }.map { count in
            func name(_ id: EnvironmentID) -> String { names[id] ?? id.rawValue }
            return CallView(
                caller: count.caller, callerEnvironment: name(count.callerEnvironment), service: count.service,
                context: count.context.map(name), provider: count.provider.map(name), error: count.error,
                leak: count.leak?.rawValue, carrier: count.carrier, count: count.count)
        }.sorted {
            ($0.callerEnvironment, $0.caller, $0.service, $0.context ?? "") < (
                $1.callerEnvironment, $1.caller, $1.service, $1.context ?? ""
            )
        }
    }

    /// The last execution of an environment that may be gone already.
    func lastExecution(of id: EnvironmentID) async throws -> ExecutionView? {
        try await store.read { try $0.lastExecution(of: id) }.map { ExecutionView($0) }
    }
}
