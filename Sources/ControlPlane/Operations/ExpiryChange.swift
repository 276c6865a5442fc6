import API
import Blueprints
import EnvironmentGraph
import HTTPTransport
import Orchestration
import Storage

/// Putting off the end of an environment. It is only ever put off, so repeating it harms nothing, and nobody who wants it
/// longer makes it shorter.
struct ExpiryChange: Sendable {
    let wish: PatchRequest.Expiry

    /// Longest that can be asked for: ten years.
    private static let longest: Int64 = 315_360_000_000

    /// - Returns: the record with its new end; `nil` where it lives as long already.
    /// - Throws: ``APIProblem`` where the wish means nothing, or the environment is going away.
    func applied(to record: EnvironmentRecord, now: Int64) throws -> EnvironmentRecord? {
        guard record.state != .deleting, record.state != .deleted else {
            throw APIProblem(.wrongState, "\(record.name) is being deleted")
        }
        let end = try end(for: record, now: now)
        if let end, let present = record.expiresAt, present >= end { return nil }
        if end == record.expiresAt { return nil }
        var changed = record
        changed.expire(at: end, setAt: now)
        return changed
    }

    /// One line for the environment's history.
    static func text(_ record: EnvironmentRecord, now: Int64) -> String {
        guard let end = record.expiresAt else { return "it is kept until somebody deletes it" }
        return "it is kept until \(timestamp(end)) (\(LengthOfTime.shown(end - now)))"
    }

    private func end(for record: EnvironmentRecord, now: Int64) throws -> Int64? {
        let given = [wish.ttlMilliseconds != nil, wish.until != nil, wish.never == true].count { $0 }
        guard given <= 1 else {
            throw APIProblem(.invalidRequest, "expiry is one of ttlMilliseconds, until and never")
        }
        if wish.never == true { return nil }
        if let text = wish.until {
            let end = try APIHandler.time(text, named: "until")
            guard end > now else { throw APIProblem(.invalidRequest, "until is \(shortened(text)), which is over") }
            return end
        }
        guard let length = wish.ttlMilliseconds ?? record.spec.lifecycle.ttl?.milliseconds else {
            throw APIProblem(
                .invalidRequest, "the Blueprint of \(record.name) has no ttl, so say how long",
                hint: "microstax env extend \(record.name) --ttl 24h")
        }
        guard (1000...Self.longest).contains(length) else {
            throw APIProblem(.invalidRequest, "ttlMilliseconds is from a second to ten years")
        }
        return now + length
    }
}

extension EnvironmentOperations {
    /// Changes what needs no execution.
    func patch(_ named: String, _ request: PatchRequest, _ call: APICall) async throws -> EnvironmentView {
        guard request.expiry != nil || request.protected != nil else {
            throw APIProblem(
                .invalidRequest, "the body says nothing that is to change", hint: "there are: expiry, protected")
        }
        let id = try await picture(of: named).record.id
        let now = outside.now()
        let decide: @Sendable (any StoreReading) throws -> (EnvironmentRecord, [String]) = { store in
            guard var record = try store.environment(id) else {
                throw APIProblem(.notFound, "there is no environment \(shortened(named))")
            }
            try call.checkRevision(record)
            var changes: [String] = []
            if let expiry = request.expiry, let put = try ExpiryChange(wish: expiry).applied(to: record, now: now) {
                record = put
                changes.append(ExpiryChange.text(record, now: now))
            }
            if let protected = request.protected, protected != record.isProtected {
                record.isProtected = protected
                changes.append(protected ? "it is protected against deletion" : "it is not protected any more")
            }
            return (record, changes)
        }
        let picture: EnvironmentPicture
        if request.dryRun {
            picture = try await store.read { try EnvironmentPicture(try decide($0).0, in: $0) }
        } else {
            picture = try await store.write { store in
                let (record, changes) = try decide(store)
                if !changes.isEmpty {
                    try store.save(record)
                    for change in changes {
                        try store.append(
                            EventRecord(
                                time: now, environment: id, name: record.name, kind: .changed, actor: call.actor,
                                message: change))
                    }
                    try store.audit(call.operation.rawValue, of: record.name, by: call.actor, at: now)
                }
                return try EnvironmentPicture(record, in: store)
            }
            board.ring(id)
        }
        return EnvironmentView(picture, board: board, edgePort: gateway.edgePort)
    }
}

extension APICall {
    /// - Throws: ``APIProblem`` where `If-Match` names another revision.
    func checkRevision(_ record: EnvironmentRecord) throws {
        guard let wanted = request.fields["if-match"]?.filter({ $0 != "\"" }), wanted != "*",
            wanted != String(record.revision)
        else { return }
        throw APIProblem(
            .conflict, "\(record.name) is at revision \(record.revision), not \(shortened(wanted))",
            hint: "look again: microstax env get \(record.name)")
    }
}
