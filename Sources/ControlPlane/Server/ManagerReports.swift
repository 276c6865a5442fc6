import Logging

/// What the service manager hears over the server's life: ready, alive, stopping.
struct ManagerReports: Sendable {
    /// A server that is not ready by then serves all the same; what is missing stands in the status line.
    static let readyLimit = Duration.seconds(10)

    let manager: ServiceManager
    let vitals: Vitals
    /// The parts that are not ready, with the reasons; empty when all are.
    let missing: @Sendable () async -> [String]
    let place: String
    let pid: Int32
    let log: Logger

    /// From when the server answers until cancelled.
    func run() async {
        await sayReady()
        let period = manager.watchdog.map { $0 / 2 } ?? .seconds(15)
        // Cancelled: the server stops.
        while (try? await Task.sleep(for: period)) != nil {
            let missing = await missing()
            tell("STATUS=" + Self.status(place, missing))
            guard let limit = manager.watchdog else { continue }
            let silent = vitals.silent(for: limit)
            if silent.isEmpty {
                tell("WATCHDOG=1")
            } else {
                log.critical(
                    "parts of the server do not answer", metadata: ["parts": "\(silent.joined(separator: ", "))"])
            }
        }
        tell("STOPPING=1", "STATUS=stopping: requests and executions come to a stop at a checkpoint")
    }

    private func sayReady() async {
        let deadline = ContinuousClock.now + Self.readyLimit
        var missing = await missing()
        while !missing.isEmpty, ContinuousClock.now < deadline {
            // Cancelled: the server stops before it was ready.
            guard (try? await Task.sleep(for: .milliseconds(50))) != nil else { return }
            missing = await self.missing()
        }
        tell("READY=1", "MAINPID=\(pid)", "STATUS=" + Self.status(place, missing))
    }

    private static func status(_ place: String, _ missing: [String]) -> String {
        missing.isEmpty ? "serves \(place)" : "serves \(place), but \(missing.joined(separator: "; "))"
    }

    private func tell(_ lines: String...) {
        if let reason = manager.tell(lines) {
            log.warning("the service manager was not told", metadata: ["line": "\(lines[0])", "error": "\(reason)"])
        }
    }
}
