import API
import APIClient

/// Deleting several environments, one after the other; one that cannot go does not keep the others.
struct Deletion {
    let targets: [String]
    /// Only environments of this mode, for `baseline delete` and `overlay delete`.
    let mode: String?
    let options: DeleteOptions
    let common: CommonOptions

    func run() async throws {
        let client = try common.client()
        var deleted: [ChangeView] = []
        var failures: [CommandFailure] = []
        var waiting = targets[...]
        /// Those whose overlays may stand later in the list, with how many were deleted when that was seen: they are tried
        /// again for as long as it gets on.
        var postponed: [String: Int] = [:]
        let isList = targets.count > 1 && options.wait && !options.dryRun
        while let target = waiting.popFirst() {
            do {
                if isList, postponed[target] == nil { common.note("deleting \(target.visible)") }
                deleted.append(try await delete(target, client))
            } catch let failure as APIFailure
                where failure.code == .hasOverlays && !waiting.isEmpty && (postponed[target] ?? -1) < deleted.count
            {
                postponed[target] = deleted.count
                waiting.append(target)
            } catch let failure as CommandFailure where failure.status == .interrupted {
                throw failure
            } catch let error as ConnectionFailure {
                throw error
            } catch {
                guard targets.count > 1 else { throw error }
                let report = ErrorReport(error)
                Terminal.write(report.text(Terminal.palette(.errors)) + "\n", to: .errors)
                failures.append(CommandFailure(report.status, ""))
            }
        }
        try show(deleted)
        if let first = failures.first {
            throw CommandFailure(first.status, "\(failures.count) of \(targets.count) could not be deleted")
        }
    }

    private func delete(_ target: String, _ client: APIClient) async throws -> ChangeView {
        if let mode { try await Membership(mode: mode).check(target, client) }
        let waiting = options.wait && !options.dryRun ? Waiting(client: client, common: common) : nil
        var deleted = try await client.deleteEnvironment(target, dryRun: options.dryRun)
        guard let waiting, let execution = deleted.execution else { return deleted }
        let last = try await waiting.untilGone(
            deleted.environment.id, named: deleted.environment.name, .deletion(execution.id))
        deleted.environment = last?.environment ?? deleted.environment
        deleted.environment.state = "deleted"
        deleted.execution = last?.execution ?? deleted.execution
        return deleted
    }

    private func show(_ deleted: [ChangeView]) throws {
        let ids = deleted.map(\.environment.id)
        let table = {
            if options.dryRun { return deleted.map(PlanTables.deletion).joined(separator: "\n") }
            return deleted.map { view in
                let name = view.environment.name
                if options.wait { return "\(name) is deleted\n" }
                return "\(name) is being deleted\nwatch it with: microstax env wait \(name) --for deleted\n"
            }.joined()
        }
        if targets.count == 1 {
            if let only = deleted.first { try common.show(only, ids: ids, table: table) }
        } else {
            try common.show(deleted, ids: ids, table: table)
        }
    }
}
