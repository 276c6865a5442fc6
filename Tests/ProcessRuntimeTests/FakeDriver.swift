import ProcessRuntime
import Runtimes

/// Does what a machine says, in its head.
struct FakeDriver {
    private var answers: [ServiceEvent] = []
    private(set) var isRunning = false
    private var killed = false

    var isBusy: Bool { !answers.isEmpty }

    mutating func take(_ actions: [ServiceAction]) {
        for action in actions {
            switch action {
            case .build: answers.append(.buildEnded(exitCode: 0, lastOutput: []))
            case .start: answers.append(.started(pid: 7))
            case .signal: if isRunning { answers.append(.exited(143, lastOutput: [])) }
            case .watchGroup: answers.append(.groupEmpty)
            case .killAll:
                answers.removeAll { if case .exited = $0 { true } else { false } }
                answers.removeAll { if case .buildEnded = $0 { true } else { false } }
                if isRunning { answers.append(.exited(137, lastOutput: [])) }
                answers.append(.cleanedUp(leftOver: nil))
            case .probe(let kind, let run): answers.append(.probed(kind, .failed("no"), run: run))
            case .note: break
            }
        }
    }

    mutating func nextAnswer() -> ServiceEvent? {
        guard !answers.isEmpty else { return nil }
        let event = answers.removeFirst()
        if case .started = event { isRunning = true }
        if case .exited = event { isRunning = false }
        return event
    }

    mutating func event(_ machine: ServiceMachine, _ workload: Workload, _ random: inout SplitMix) -> ServiceEvent {
        switch random.next() % 12 {
        case 0: return .stop
        case 1: return .apply(workload, hasSecrets: true)
        case 2:
            var other = workload
            other.generation = Int(random.next() % 4)
            return .apply(other, hasSecrets: true)
        case 3 where isRunning && !answers.contains(where: { if case .exited = $0 { true } else { false } }):
            isRunning = false
            return .exited(Int32(random.next() % 2), lastOutput: [])
        case 4: return .probed(.readiness, .passed, run: machine.run)
        case 5, 6: return .tick
        default: return nextAnswer() ?? .tick
        }
    }
}
