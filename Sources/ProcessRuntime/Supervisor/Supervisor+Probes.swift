import Blueprints
import Foundation
import Runtimes

extension Supervisor {
    func probe(_ kind: ProbeKind, run: Int, _ service: SupervisedService) {
        let workload = service.machine.workload
        let spec: ProbeSpec? =
            switch kind {
            case .startup: workload.probes.startup
            case .readiness: ServiceMachine.readiness(of: workload)
            case .liveness: workload.probes.liveness
            }
        guard let spec else { return }
        let name = service.name
        let log = service.log
        // Ends within the probe's timeout.
        Task {
            let outcome = await self.check(spec, name, workload, log)
            self.send(.probed(kind, outcome, run: run), to: name)
        }
    }

    private func check(
        _ spec: ProbeSpec, _ name: String, _ workload: Workload, _ log: ServiceLog
    ) async -> ProbeOutcome {
        switch spec.check {
        case .tcp(let port):
            guard let number = Self.port(port, of: workload) else { return .failed("there is no port \(port ?? "")") }
            return await SocketProbe.tcp(number, timeout: spec.timeoutSeconds)
        case .http(let path, let port):
            guard let number = Self.port(port, of: workload) else { return .failed("there is no port \(port ?? "")") }
            return await SocketProbe.http(path, port: number, timeout: spec.timeoutSeconds)
        case .log(let pattern):
            return log.hasMatched(pattern) ? .passed : .failed("no line matched /\(pattern)/")
        case .exec(let command):
            let command = RuntimeCommand(command, timeoutSeconds: spec.timeoutSeconds)
            do {
                let result = try await execute(command, .probe, name)
                if result.timedOut { return .failed("exec ran longer than \(spec.timeoutSeconds) s") }
                guard result.exitCode != 0 else { return .passed }
                let last = result.output.split(whereSeparator: \.isNewline).last.map { ": \($0.prefix(500))" } ?? ""
                return .failed("exec exited with \(result.exitCode)\(last)")
            } catch {
                return .failed("exec: \(error)")
            }
        }
    }

    private static func port(_ name: String?, of workload: Workload) -> Int? {
        guard let name else { return workload.ports.first?.number }
        return workload.ports.first { $0.name == name }?.number
    }
}
