import API
import Blueprints
import EnvironmentGraph
import HTTPTransport
import Orchestration
import Storage

/// What an environment was, how it came to be what it is, and how two differ.
extension EnvironmentOperations {
    /// Newest first, each with what it changed.
    func revisions(of named: String) async throws -> [RevisionView] {
        let record = try await picture(of: named).record
        let found = try await store.read { try $0.revisions(of: record.id) }
        var before: BlueprintSpec?
        let views = found.map { revision -> RevisionView in
            let changes = revision.spec.map { spec in before.map { spec.difference(from: $0) } }
            before = revision.spec ?? before
            return RevisionView(
                number: revision.number, createdAt: timestamp(revision.createdAt), actor: revision.actor,
                reason: revision.reason, isCurrent: revision.number == record.revision,
                parent: revision.parent.map { "\($0.name)#r\($0.revision)" },
                changes: (changes ?? nil).map { SpecDifferenceView($0) })
        }
        return views.reversed()
    }

    func rollback(
        _ named: String, _ request: RollbackRequest, _ call: APICall,
        reply: @escaping @Sendable (Int, ChangeView) -> HTTPResponse
    ) async throws -> HTTPResponse {
        let record = try await picture(of: named).record
        try call.checkRevision(record)
        let update = update(try ConflictFinding.accepted(request.allow))
        let wish = try await update.wish(rollingBackTo: request.revision, record)
        return try await realise(update, wish, record.id, request.dryRun, call, reply)
    }

    func rebase(
        _ named: String, _ request: RebaseRequest, _ call: APICall,
        reply: @escaping @Sendable (Int, ChangeView) -> HTTPResponse
    ) async throws -> HTTPResponse {
        let record = try await picture(of: named).record
        try call.checkRevision(record)
        let risks = request.allow + (request.keepMine ? [Conflict.Code.rebaseCollision.rawValue] : [])
        let update = update(try ConflictFinding.accepted(risks))
        guard let (wish, _) = try await update.wish(rebasing: record) else {
            let picture = try await picture(of: named)
            let view = EnvironmentView(picture, board: board, edgePort: gateway.edgePort)
            return reply(200, ChangeView(environment: view, execution: nil, plan: [], isChanged: false))
        }
        let difference = SpecDifferenceView(wish.spec.difference(from: record.spec))
        return try await realise(update, wish, record.id, request.dryRun, call) { status, view in
            var view = view
            view.difference = difference
            return reply(status, view)
        }
    }

    /// How the second differs from the first; either is `<name>` or `<name>@<revision>`.
    func difference(from first: String, to second: String) async throws -> SpecDifferenceView {
        let (old, new) = (try await spec(of: first), try await spec(of: second))
        return SpecDifferenceView(new.difference(from: old))
    }

    private func spec(of text: String) async throws -> BlueprintSpec {
        let parts = text.split(separator: "@", maxSplits: 1).map(String.init)
        let record = try await picture(of: parts.first ?? text).record
        guard parts.count == 2 else { return record.spec }
        let number = Int(parts[1].hasPrefix("r") ? String(parts[1].dropFirst()) : parts[1])
        let revision = try await store.read { store in try number.flatMap { try store.revision($0, of: record.id) } }
        guard let spec = revision?.spec else {
            throw APIProblem(
                .notFound, "\(record.name) has no revision \(shortened(parts[1]))",
                hint: "`microstax env history \(record.name)` lists what there is")
        }
        return spec
    }
}
