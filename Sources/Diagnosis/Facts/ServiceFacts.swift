import Blueprints
import EnvironmentGraph

/// What is known of one service that the environment runs itself.
package struct ServiceFacts: Sendable, Hashable {
    /// As the runtime says; `absent` where it has never heard of the service.
    package enum State: String, Sendable, Hashable, CaseIterable {
        case pending, building, starting, ready, unhealthy, restarting, stopped, failed, absent
    }

    package var spec: ServiceSpec
    package var state: State
    package var message: String?
    /// Of the process that ended last: its exit code, or 128 + signal.
    package var exitCode: Int32?
    package var restarts: Int
    package var pid: Int32?
    /// Milliseconds since 1970 at which the state began.
    package var since: Int64
    /// The last lines of the run that ended, oldest first.
    package var lastOutput: [String]
    /// The end of its log, oldest first.
    package var log: [OutputLine]
    /// The ports that it was given, in the order of its spec.
    package var ports: [GivenPort]
    /// Of its command's first word; `nil` where nobody looked.
    package var program: ProgramFact?
    /// Its last run, read once for all rules.
    var reading: Reading?

    package init(
        spec: ServiceSpec, state: State, message: String? = nil, exitCode: Int32? = nil, restarts: Int = 0,
        pid: Int32? = nil, since: Int64 = 0, lastOutput: [String] = [], log: [OutputLine] = [],
        ports: [GivenPort] = [], program: ProgramFact? = nil
    ) {
        self.spec = spec
        self.state = state
        self.message = message
        self.exitCode = exitCode
        self.restarts = restarts
        self.pid = pid
        self.since = since
        self.lastOutput = lastOutput
        self.log = log
        self.ports = ports
        self.program = program
    }

    package var name: String { spec.name }
}

package struct GivenPort: Sendable, Hashable {
    package var name: String
    package var number: Int

    package init(name: String, number: Int) {
        self.name = name
        self.number = number
    }
}

/// The file that a service's command names.
package struct ProgramFact: Sendable, Hashable {
    package var path: String
    package var isExecutable: Bool

    package init(path: String, isExecutable: Bool) {
        self.path = path
        self.isExecutable = isExecutable
    }
}

/// One line that a service wrote, or that the runtime wrote about it.
package struct OutputLine: Sendable, Hashable {
    /// Milliseconds since 1970.
    package var time: Int64
    /// Whether the runtime wrote it.
    package var isEvent: Bool
    package var isBuild: Bool
    package var text: String

    package init(time: Int64 = 0, isEvent: Bool = false, isBuild: Bool = false, text: String) {
        self.time = time
        self.isEvent = isEvent
        self.isBuild = isBuild
        self.text = text
    }

    /// A run or a build ended.
    var isEnd: Bool {
        isEvent && ["exited with ", "killed by ", "still running after "].contains { text.hasPrefix($0) }
    }
}

extension ServiceFacts {
    /// Why somebody should look at a service.
    enum Trouble: Sendable, Hashable {
        /// Does not answer.
        case down
        /// Not ready yet, and nothing says that it will not be.
        case slow
        /// Answers now, and was started again several times a moment ago.
        case flapping

        var isProvisional: Bool { self != .down }
    }

    /// How long a start is nothing to talk about.
    static let patience: Int64 = 2000
    /// How long restarts are remembered, and how many count.
    static let flapMemory: Int64 = 300_000
    static let flapCount = 3

    /// `nil` where all is well.
    func trouble(in facts: Facts) -> Trouble? {
        let isWanted = ![.stopped, .stopping, .deleting, .deleted, .pending, .planning]
            .contains(facts.environment.state)
        guard isWanted else { return nil }
        let isUnderWay = facts.environment.state.isTransient
        if facts.failedStep(of: name) != nil { return .down }
        switch state {
        case .failed, .unhealthy, .restarting: return .down
        case .ready:
            let isRecent = facts.now - since < Self.flapMemory
            return restarts >= Self.flapCount && isRecent ? .flapping : nil
        case .starting, .building:
            if restarts > 0 { return .down }
            return facts.now - since >= Self.patience ? .slow : nil
        case .pending: return isUnderWay ? nil : .down
        case .stopped, .absent: return isUnderWay ? nil : .down
        }
    }

    /// The lines of the last run, and of the one before it if that is still going on, the newest first, with what the
    /// runtime says at the very front. Earlier runs may have ended for other reasons.
    var lastRun: Reading { reading ?? Reading(self) }

    /// What the service itself wrote in its last run, oldest first.
    var output: [String] { lastRun.lines.filter { $0.source == .log }.map(\.text).reversed() }

    /// What the runtime says.
    var statusEvidence: Evidence {
        var text = state == .absent ? "\(name) was never started" : "\(name) is \(state.rawValue)"
        if let message { text += ": " + (message.split(separator: "\n").first.map(String.init) ?? "") }
        if restarts > 0 { text += " (\(restarts) restarts)" }
        return Evidence(.status, text)
    }

    /// The end of its output, for those who have to look themselves.
    func lastLines(_ count: Int = 3) -> [Evidence] {
        output.filter { !$0.allSatisfy(\.isWhitespace) }.suffix(count).map { Evidence(.log, $0) }
    }
}
