import CPlatform
import Glibc
import Runtimes

/// Measuring, when somebody asks: one look at `/proc` for all services, whoever asks next within a quarter of a second
/// gets the same. Between questions nothing is sampled; the kernel keeps count by itself.
extension Supervisor {
    /// Milliseconds for which a look is good enough for the next who asks.
    private static let freshness: Int64 = 250
    /// Of so many processes of a service it is found out what they share; more are taken to share nothing.
    private static let sharingLimit = 64

    func metrics(withRates: Bool) async -> [WorkloadMetrics] {
        measure()
        if withRates, services.values.contains(where: { $0.mainPid != nil && $0.usage.rate == nil }) {
            // Cancelling only shortens the pause; there is no rate then.
            try? await Task.sleep(for: .milliseconds(ProcessorUsage.shortest + 20))
            measure()
        }
        let sharing = services.values.filter { $0.living.count > 1 }.map { service in
            (service.name, service.living.prefix(Self.sharingLimit).map { ($0.pid, $0.residentBytes) })
        }
        // Walking through the pages of large processes takes the kernel milliseconds.
        let shared = await OffPool.run {
            sharing.map { name, processes in
                (name, processes.reduce(Int64(0)) { $0 + (ProcessTable.proportionalBytes(of: $1.0) ?? $1.1) })
            }
        }
        let memory = Dictionary(shared) { first, _ in first }
        return services.values.map { metrics(of: $0, sharedMemory: memory[$0.name], withRates: withRates) }
            .sorted { $0.service < $1.service }
    }

    private func metrics(of service: SupervisedService, sharedMemory: Int64?, withRates: Bool) -> WorkloadMetrics {
        let status = service.machine.status
        let (living, rate) = (service.living, service.usage.rate)
        let beyond = living.dropFirst(Self.sharingLimit).reduce(Int64(0)) { $0 + $1.residentBytes }
        let main = living.first { $0.pid == service.mainPid }
        return WorkloadMetrics(
            service: service.name, state: status.state, processes: living.count,
            cpuMilliseconds: (service.usage.last?.used ?? 0) / 1000, countingSince: countingSince,
            cpuPercent: withRates ? rate?.percent : nil, intervalMilliseconds: withRates ? rate?.milliseconds : nil,
            memoryBytes: sharedMemory.map { $0 + beyond } ?? living.first?.residentBytes ?? 0,
            restarts: status.restarts,
            uptimeMilliseconds: main.map { max(0, Self.sinceBoot() - Self.milliseconds(ticks: $0.startTime)) })
    }

    /// Looks at everything at once; again where a process ended under its eyes.
    private func measure() {
        reap()
        if let measuredAt, now() - measuredAt < Self.freshness { return }
        for attempt in 1...3 {
            let look = Look()
            let time = now()
            let found = services.values.map { service in
                (service, members(of: service, in: look) { $0 == .main || $0 == .build })
            }
            let isSure = found.allSatisfy { service, members in
                service.usage.isPlausible(
                    living: Self.microseconds(members), at: time, processors: Self.processors)
            }
            guard isSure || attempt == 3 else { continue }
            for (service, members) in found {
                service.usage.record(living: Self.microseconds(members), at: time)
                service.living = members.filter { !$0.isZombie }
                for entry in service.living { service.known[entry.pid] = entry.startTime }
            }
            measuredAt = time
            return
        }
    }

    /// What an ended child used stays with the service that it belonged to.
    func countEnded(_ ended: msx_ended) {
        let owner = services.values.first { $0.mainPid == ended.pid || $0.buildPid == ended.pid }
        // Commands and probes are not the service's own doing.
        guard owner != nil || onExit[ended.pid] == nil else { return }
        let heir =
            owner
            ?? services.values.first { service in
                service.known[ended.pid] != nil
                    || ended.session > 0
                        && [service.mainPid, service.buildPid, service.watchedGroup].contains(ended.session)
            } ?? (services.count == 1 ? services.values.first : nil)
        heir?.usage.addEnded(microseconds: ended.cpu_microseconds)
    }

    private static let processors = max(1, Int(sysconf(Int32(_SC_NPROCESSORS_ONLN))))
    private static let ticksPerSecond = UInt64(max(1, sysconf(Int32(_SC_CLK_TCK))))

    private static func microseconds(_ processes: [ProcessTable.Entry]) -> Int64 {
        Int64(processes.reduce(UInt64(0)) { $0 &+ $1.cpuTicks } &* 1_000_000 / ticksPerSecond)
    }

    private static func milliseconds(ticks: UInt64) -> Int64 { Int64(ticks &* 1000 / ticksPerSecond) }

    private static func sinceBoot() -> Int64 {
        var time = timespec()
        clock_gettime(CLOCK_BOOTTIME, &time)
        return Int64(time.tv_sec) * 1000 + Int64(time.tv_nsec) / 1_000_000
    }
}
