import Logging

/// Ports that somebody else had when a table wanted them are tried again for as long as it wants them.
extension GatewayDesk {
    /// Between the tries until a table is answered: half a second in all.
    private static let shortPauses: [Duration] = [10, 20, 40, 80, 150, 200].map { .milliseconds($0) }
    private static let longPause = Duration.seconds(1)

    /// The listeners that are not open, in the order of the table.
    var refusals: [DataPlane.ListenerResult] { refused.sorted { $0.key < $1.key }.map(\.value) }

    /// The end of a change of tables: its listeners, when they are open or have been tried for a while. What was refused
    /// before is not waited for again, and nothing is while another change wants its turn.
    ///
    /// - Parameter results: every listener's, from ``DataPlane/apply(_:)``.
    func open(_ results: [DataPlane.ListenerResult]) async -> [GatewayTableReply.Listener] {
        let known = Set(refused.values.map(\.port))
        refused = [:]
        for (number, result) in results.enumerated() where result.error != nil { refused[number] = result }
        let areNew = refused.values.contains { $0.isTaken && !known.contains($0.port) }
        for pause in areNew ? Self.shortPauses : [] {
            // Cancelled: the gateway ends.
            guard changesWaiting.isEmpty, (try? await Task.sleep(for: pause)) != nil else { break }
            guard await openTaken() else { break }
        }
        return results.enumerated().map { number, result in
            GatewayTableReply.Listener(port: result.port, error: refused[number]?.error)
        }
    }

    /// Tries what is still refused once a second, until cancelled.
    func keepOpening() async {
        while (try? await Task.sleep(for: Self.longPause)) != nil {
            // Whoever changes tables just now tries by itself, and ports are the next gateway's after a hand-over.
            guard !isChanging, !isReleased, refused.values.contains(where: \.isTaken) else { continue }
            await beginChange()
            _ = await openTaken()
            endChange()
        }
    }

    /// - Returns: whether anything is still to be tried.
    private func openTaken() async -> Bool {
        for (number, result) in await plane.openTaken() {
            refused[number] = result.error == nil ? nil : result
            if result.error == nil { logger.info("listener \(result.port) is open now") }
        }
        return refused.values.contains(where: \.isTaken)
    }

    /// For a port without which there is no gateway.
    func patiently<Result>(_ open: () async throws -> Result) async throws -> Result {
        for pause in Self.shortPauses {
            do {
                return try await open()
            } catch let error where isAddressInUse(error) {
                try await Task.sleep(for: pause)
            }
        }
        return try await open()
    }
}

extension DataPlane.ListenerResult {
    /// For an operator.
    var problem: String { "listener \(port): \(error ?? "open")" }
}
