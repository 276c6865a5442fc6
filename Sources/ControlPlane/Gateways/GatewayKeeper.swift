import API
import EnvironmentGraph
import Files
import Foundation
import Gateway
import Logging
import Orchestration
import ProcessRuntime
import Storage
import Synchronization

/// Keeps one gateway process running and speaks to it.
///
/// The gateway outlives the server: it is found again by its pid and start time, and started anew only where it is gone.
package final class GatewayKeeper: Sendable {
    private struct State {
        var edgePort: Int?
        var tableVersion: UInt64 = 0
        /// The table that the gateway said it routes by.
        var last: RoutingTable?
        /// A gateway that did not let itself be replaced; it is not asked again.
        var stays: Int32?
    }

    private let folder: ServerFolder
    private let executable: String
    private let configuredEdgePort: Int?
    private let tls: TLSSettings
    private let otlp: OTLPTarget?
    private let control: GatewayControl
    private let log: Logger
    private let state = Mutex(State())
    private let starting = StartOnce()

    /// - Parameter edgePort: `nil` takes the usual one, or the next that is free.
    package init(
        folder: ServerFolder, executable: String, edgePort: Int?, tls: TLSSettings = .off,
        otlp: OTLPTarget? = nil, log: Logger
    ) {
        self.otlp = otlp
        self.tls = tls
        self.folder = folder
        self.executable = executable
        configuredEdgePort = edgePort
        control = GatewayControl(folder: folder.gateway)
        self.log = log
    }

    /// Where everything of this server is.
    var stateFolder: String { folder.path }

    /// The shared port for host names, as far as it is known.
    package var edgePort: Int? { state.withLock { $0.edgePort } }

    /// Of the table that the gateway routes by, as far as is known; 0 for none.
    package var tableVersion: UInt64 { state.withLock { $0.tableVersion } }

    /// Asks the gateway; `nil` where it does not answer.
    package func currentTableVersion() async -> UInt64? {
        // Not answering is an answer here: whoever keeps it running looks into that.
        guard let status = try? await control.status() else { return nil }
        take(status)
        return status.tableVersion
    }

    /// Hands over a table; returns when every loop of the gateway routes by it.
    ///
    /// - Parameter table: gets a higher version where the gateway has a newer one.
    /// - Returns: the listeners that could not be bound, with the reason, by port.
    package func put(_ table: inout RoutingTable) async throws -> [Int: String] {
        let reply: GatewayTableReply
        do {
            reply = try await hand(table)
        } catch {
            state.withLock { $0.last = nil }
            try await ensureRunning()
            table.version = max(table.version, tableVersion + 1)
            reply = try await control.putTable(table)
        }
        state.withLock { state in
            state.tableVersion = reply.version
            state.last = table
        }
        if let problem = reply.storeError {
            log.error(
                "the gateway could not store its table; it would come back without it",
                metadata: ["error": "\(problem)"])
        }
        return reply.listeners.reduce(into: [:]) { refused, listener in
            if let error = listener.error { refused[listener.port] = error }
        }
    }

    /// Only what has changed, where that can be.
    private func hand(_ table: RoutingTable) async throws -> GatewayTableReply {
        if let delta = state.withLock({ $0.last }).flatMap({ table.delta(since: $0) }) {
            do {
                return try await control.patchTable(delta)
            } catch let error as GatewayControlError where ["another_base", "not_found"].contains(error.code) {
                // It was started anew, with an older table or by an older version of this program.
            }
        }
        return try await control.putTable(table)
    }

    package func counts() async throws -> [CallCount] { try await countSnapshot().calls }

    /// With when the counting began: a gateway that starts anew counts anew.
    package func countSnapshot() async throws -> CountSnapshot { try await asked { try await control.counts() } }

    /// The time of the last request and what is open, by environment. Throws where the gateway does not answer, which is
    /// no sign of idleness; see ``ActivitySnapshot/quietSince(_:)``.
    package func activity() async throws -> ActivitySnapshot { try await asked { try await control.activity() } }

    /// What is measured of requests; `nil` where the gateway does not answer, or is of a version that measures nothing.
    func measures() async -> MeasureSnapshot? { try? await control.measures() }

    /// The gateway's files of spans, with all that it has seen so far. A gateway that does not answer has written what it
    /// had, up to its last moment.
    func spans() async -> SpanFolder {
        _ = try? await control.flushSpans()
        return SpanFolder(gatewayFolder: folder.gateway)
    }

    /// What requests wait for; see ``GatewayControl/wanted(since:)``.
    package func wanted(since number: UInt64?) async throws -> WantedReply { try await control.wanted(since: number) }

    private func asked<Answer>(_ ask: () async throws -> Answer) async throws -> Answer {
        do {
            return try await ask()
        } catch {
            throw APIProblem(.unavailable, "the gateway does not answer: \(error)", hint: "see \(folder.gatewayLog)")
        }
    }

    /// `running`, or why it cannot be reached.
    package func health() async -> String {
        do {
            let status = try await control.status()
            return status.problems.isEmpty ? "running" : "running, but \(status.problems.joined(separator: "; "))"
        } catch {
            return "not reachable: \(error)"
        }
    }

    /// How it does just now: why it does not answer within two seconds, and the listeners that it could not bind, with the
    /// reason, by port.
    func look() async -> (problem: String?, refused: [Int: String]) {
        do {
            let status = try await control.status(within: .seconds(2))
            let refused = (status.refused ?? []).reduce(into: [Int: String]()) { $0[$1.port] = $1.error }
            return (nil, refused)
        } catch {
            return ("\(error)", [:])
        }
    }

    /// Watches the gateway until cancelled and starts it again where it ended; it then serves its last good table.
    package func run() async {
        var pause = Duration.seconds(1)
        // Cancelled: the watching is over.
        while (try? await Task.sleep(for: pause)) != nil {
            guard recorded()?.isRunning != true else {
                pause = .seconds(1)
                continue
            }
            do {
                log.warning("the gateway has ended; starting it again")
                try await ensureRunning()
            } catch {
                log.error("the gateway cannot be started", metadata: ["error": "\(error)"])
                pause = min(pause * 2, .seconds(30))
            }
        }
    }

    /// Returns when a gateway answers.
    package func ensureRunning() async throws {
        try await starting.run { try await self.findOrStart() }
    }

    private func findOrStart() async throws {
        if let running = try await adopt(within: recorded()?.isRunning == true ? .seconds(2) : .zero) {
            if let reason = outdated(running) { await replace(running.pid, because: reason) }
            return
        }
        if let stuck = recorded(), stuck.isRunning {
            log.warning("the gateway runs but does not answer; ending it", metadata: ["pid": "\(stuck.pid)"])
            stuck.terminate(SIGKILL)
        }
        let process = try start(arguments)
        try ServerFolder.write(try JSONEncoder().encode(process), to: folder.gatewayProcess)
        guard try await adopt(within: .seconds(10), whileRunning: process) != nil else {
            throw APIProblem(
                .unavailable, "the gateway did not start: \(lastLogLine())", hint: "see \(folder.gatewayLog)")
        }
    }

    private func start(_ arguments: [String]) throws -> DetachedProcess {
        do {
            return try DetachedProcess.start(
                executable, arguments, environment: Self.environment, log: folder.gatewayLog)
        } catch {
            throw APIProblem(.unavailable, error.message)
        }
    }

    /// What this server starts its gateway with.
    private var arguments: [String] {
        var arguments = ["microstax", "gateway", "--folder", folder.gateway, "--log-file", folder.gatewayLog]
        if let configuredEdgePort { arguments += ["--port", "\(configuredEdgePort)"] }
        switch tls {
        case .off: break
        case .localAuthority(let folder): arguments += ["--tls-authority", folder]
        case .files(let certificate, let key): arguments += ["--tls-certificate", certificate, "--tls-key", key]
        }
        return arguments
    }

    // MARK: Replacing

    /// Why the gateway that runs is not the one that this server would start; nil where it is.
    private func outdated(_ status: GatewayStatus) -> String? {
        guard state.withLock({ $0.stays != status.pid }) else { return nil }
        if status.version != productVersion { return "it is version \(status.version)" }
        let process = "/proc/\(status.pid)"
        // A process of another user, or none: nothing is known against it.
        guard let line = FileManager.default.contents(atPath: process + "/cmdline"),
            let program = try? FileManager.default.destinationOfSymbolicLink(atPath: process + "/exe")
        else { return nil }
        if program != executable { return "it runs another program" }
        let words = line.split(separator: 0).map { String(decoding: $0, as: UTF8.self) }
        return words.filter { $0 != "--replace" } == arguments ? nil : "it has other options"
    }

    /// Has a new gateway take over from the running one, which loses no connection. Where that fails the old one goes on.
    private func replace(_ old: Int32, because reason: String) async {
        log.info("replacing the gateway", metadata: ["pid": "\(old)", "because": "\(reason)"])
        do {
            let process = try start(arguments + ["--replace"])
            let deadline = ContinuousClock.now + .seconds(40)
            while process.isRunning, ContinuousClock.now < deadline {
                // Not answering is the moment between the two: asked again.
                if let status = try? await control.status(), status.pid == process.pid {
                    take(status)
                    await directSpans()
                    return try ServerFolder.write(try JSONEncoder().encode(process), to: folder.gatewayProcess)
                }
                try await Task.sleep(for: .milliseconds(20))
            }
            process.terminate()
            log.error("the gateway could not be replaced", metadata: ["error": "\(lastLogLine())"])
        } catch {
            log.error("the gateway could not be replaced", metadata: ["error": "\(error)"])
        }
        state.withLock { $0.stays = old }
    }

    /// Takes over the gateway that answers on this folder's socket, whoever started it: it is the one that holds the
    /// addresses, and there is never a second.
    private func adopt(within limit: Duration, whileRunning process: DetachedProcess? = nil) async throws
        -> GatewayStatus?
    {
        let deadline = ContinuousClock.now + limit
        while true {
            if let status = try? await control.status() {  // not there yet: asked again
                take(status)
                if recorded()?.pid != status.pid, let running = DetachedProcess(running: status.pid) {
                    try ServerFolder.write(try JSONEncoder().encode(running), to: folder.gatewayProcess)
                }
                await directSpans()
                return status
            }
            if let process, !process.isRunning { return nil }
            guard ContinuousClock.now < deadline else { return nil }
            try await Task.sleep(for: .milliseconds(10))
        }
    }

    /// A gateway that was there already may send them where an earlier server wanted.
    private func directSpans() async {
        do {
            try await control.putOTLP(otlp)
        } catch {
            guard otlp != nil else { return }
            log.warning("the gateway sends no spans to the collector", metadata: ["reason": "\(error)"])
        }
    }

    private func take(_ status: GatewayStatus) {
        state.withLock {
            $0.edgePort = status.edgePort
            $0.tableVersion = status.tableVersion
        }
    }

    /// What a gateway needs to know of its starter's environment: neither tokens nor the marks of a service that the
    /// server may have been started from.
    private static var environment: [String: String] {
        ProcessInfo.processInfo.environment.filter { name, _ in
            ["PATH", "HOME", "USER", "LOGNAME", "LANG", "TZ", "TMPDIR", "MICROSTAX_HOME"].contains(name)
                || name == CrashPoint.variable || name.hasPrefix("LC_")
        }
    }

    private func recorded() -> DetachedProcess? {
        guard let bytes = FileManager.default.contents(atPath: folder.gatewayProcess) else { return nil }
        // Unreadable means unknown; the socket's lock keeps a second gateway out.
        return try? JSONDecoder().decode(DetachedProcess.self, from: bytes)
    }

    private func lastLogLine() -> String {
        let text = FileManager.default.contents(atPath: folder.gatewayLog).map { String(decoding: $0, as: UTF8.self) }
        return text?.split(separator: "\n").last.map(String.init) ?? "it said nothing"
    }
}

/// Lets concurrent callers share one run of something.
private actor StartOnce {
    private var current: Task<Void, any Error>?

    func run(_ body: @escaping @Sendable () async throws -> Void) async throws {
        if let current { return try await current.value }
        // Ends by itself; every caller waits for it.
        let task = Task { try await body() }
        current = task
        defer { current = nil }
        try await task.value
    }
}
