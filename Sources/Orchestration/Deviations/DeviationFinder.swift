import Blueprints
import EnvironmentGraph
import Runtimes
import Storage

/// Observed against desired, for an environment of which no execution is under way. Pure.
enum DeviationFinder {
    /// - Parameter statuses: `nil` where the runtime has said nothing yet.
    static func findings(
        _ record: EnvironmentRecord, _ statuses: [WorkloadStatus]?, _ irregularities: [Irregularity],
        loops: [String: ProcessEnds.Loop]
    ) -> [Finding] {
        var found = Finding.of(irregularities)
        let lost = Set(irregularities.filter { $0.kind == .volumeMissing }.compactMap(\.service))
        guard let statuses else { return found }
        var wanted: Set<String> = []
        for service in record.localServices {
            for instance in service.instances {
                wanted.insert(instance)
                let status = statuses.first { $0.service == instance }
                // Applying it again would not help a service without its data.
                if !lost.contains(service.name) {
                    found += difference(service, instance, status, generation: record.generation(of: service.name))
                }
            }
        }
        found += unexpected(statuses, wanted: wanted)
        for (name, loop) in loops.sorted(by: { $0.key < $1.key }) where wanted.contains(name) {
            found.append(Finding(kind: .crashLoop, service: name, message: loop.message(name), remedy: .itself))
        }
        return found
    }

    /// Of an environment of which nothing should run.
    static func findings(stopped statuses: [WorkloadStatus], _ irregularities: [Irregularity]) -> [Finding] {
        Finding.of(irregularities) + unexpected(statuses, wanted: [])
    }

    private static func unexpected(_ statuses: [WorkloadStatus], wanted: Set<String>) -> [Finding] {
        statuses.filter { !wanted.contains($0.service) && $0.isThere }.map { status in
            Finding(
                kind: .workloadUnexpected, service: status.service,
                message: "\(status.service) runs and is not wanted", remedy: .stop)
        }
    }

    private static func difference(
        _ service: ServiceSpec, _ instance: String, _ status: WorkloadStatus?, generation: Int
    ) -> [Finding] {
        guard let status else {
            return [
                Finding(
                    kind: .workloadMissing, service: instance, message: "\(instance) should run and is not there",
                    remedy: .apply)
            ]
        }
        if status.generation < generation {
            return [
                Finding(
                    kind: .workloadChanged, service: instance,
                    message: "\(instance) is of generation \(status.generation), wanted is \(generation)",
                    remedy: .apply)
            ]
        }
        switch status.state {
        case .pending:
            return [
                Finding(
                    kind: .workloadMissing, service: instance,
                    message: "\(instance) was not started: \(status.message ?? "it waits")", remedy: .apply)
            ]
        case .stopped where service.restart == .always:
            return [
                Finding(
                    kind: .workloadMissing, service: instance, message: "somebody else stopped \(instance)",
                    remedy: .apply)
            ]
        default: return []
        }
    }

    /// Processes that ended between two looks, of services that were not asked to end: by instance, with what is known.
    static func ends(from before: [WorkloadStatus], to now: [WorkloadStatus]) -> [ProcessEnds.End] {
        before.compactMap { old in
            guard let pid = old.pid, let new = now.first(where: { $0.service == old.service }),
                new.generation == old.generation, new.pid != pid, new.state != .stopped || new.exitCode != nil
            else { return nil }
            let restarts = max(1, new.restarts - old.restarts)
            let how = new.restarts > old.restarts || new.pid == nil ? new.exitCode.map(describe) : nil
            return ProcessEnds.End(
                service: old.service, generation: old.generation, count: restarts,
                message: how ?? "its process (pid \(pid)) is gone")
        }
    }

    private static func describe(_ code: Int32) -> String {
        code > 128 ? "ended by signal \(code - 128)" : "exited with \(code)"
    }
}

extension Finding {
    /// One for each service and kind.
    fileprivate static func of(_ irregularities: [Irregularity]) -> [Finding] {
        var found: [Finding] = []
        for irregularity in irregularities {
            let isVolume = irregularity.kind == .volumeMissing
            let volume = irregularity.volume.map { "\(irregularity.service ?? "")/\($0)" }
            let finding = Finding(
                kind: isVolume ? .volumeMissing : .fileChanged, service: irregularity.service,
                message: irregularity.message, remedy: isVolume ? .beginAnew : .restoreFiles,
                volumes: Set(volume.map { [$0] } ?? []))
            if let index = found.firstIndex(where: { $0.key == finding.key }) {
                found[index].message += "; " + finding.message
                found[index].volumes.formUnion(finding.volumes)
            } else {
                found.append(finding)
            }
        }
        return found
    }
}

extension WorkloadStatus {
    /// It runs, or will without being told again.
    fileprivate var isThere: Bool { state != .stopped && state != .failed }
}
