import API
import EnvironmentGraph
import Gateway
import Orchestration
import Runtimes
import Storage

extension EnvironmentOperations {
    /// What each service uses just now and the requests to it. What cannot be asked is left out and said.
    ///
    /// - Parameter services: by comma; `nil` for all.
    func metrics(of named: String, _ services: String?) async throws -> MetricsView {
        let picture = try await picture(of: named)
        let (record, lineage) = (picture.record, picture.lineage)
        let wanted = services?.split(separator: ",").map(String.init) ?? []
        for service in wanted where !lineage.services.contains(service) {
            throw APIProblem(
                .notFound, "\(record.name) has no service \(shortened(service))",
                hint: "there is: \(lineage.services.joined(separator: ", "))")
        }
        var problems: [String] = []
        var usages: [WorkloadMetrics] = []
        do {
            usages = try await runtime.metrics(of: record.id, withRates: true)
        } catch let error as RuntimeError {
            problems.append(error.message)
        }
        var tally: RequestTally?
        do {
            tally = RequestTally(try await gateway.countSnapshot())
        } catch let problem as APIProblem {
            problems.append(problem.error.message)
        }
        let names = try await store.read { try $0.names() }
        let found = lineage.services.filter { wanted.isEmpty || wanted.contains($0) }.map { service in
            ServiceMetricsView(
                lineage.resolve(service), ServiceView(lineage.resolve(service), lineage, board).state,
                usages.first { $0.service == service }, tally, record.id, names)
        }
        return MetricsView(
            id: record.id.rawValue, name: record.name, measuredAt: timestamp(outside.now()),
            requestsSince: tally?.since.map(timestamp), services: found,
            message: problems.isEmpty ? nil : problems.joined(separator: "; "))
    }
}

extension ServiceMetricsView {
    fileprivate init(
        _ resolution: Resolution, _ state: String, _ usage: WorkloadMetrics?, _ tally: RequestTally?,
        _ environment: EnvironmentID, _ names: [EnvironmentID: String]
    ) {
        let isLocal = resolution.provider?.environment == environment
        let requests = tally?.requests(to: resolution.service, in: environment)
        let answered = tally?.answered(by: resolution.service, of: environment)
        self.init(
            name: resolution.service, provider: resolution.provider.map { ProviderView($0) }, state: state,
            usage: isLocal ? usage.map { UsageView($0) } : nil,
            requests: requests.map { requests in
                RequestMetricsView(
                    total: requests.total,
                    byProvider: requests.byProvider.map { id, count in
                        RequestMetricsView.Provider(environment: names[id] ?? id.rawValue, count: count)
                    }.sorted { $0.environment < $1.environment },
                    errors: requests.errors.map { RequestMetricsView.Refusal(code: $0, count: $1) }
                        .sorted { $0.code < $1.code },
                    answeredHere: isLocal ? answered : nil)
            })
    }
}

extension UsageView {
    fileprivate init(_ usage: WorkloadMetrics) {
        self.init(
            processes: usage.processes, cpuPercent: usage.cpuPercent.map { ($0 * 10).rounded() / 10 },
            intervalMilliseconds: usage.intervalMilliseconds, cpuSeconds: Double(usage.cpuMilliseconds) / 1000,
            cpuSince: usage.countingSince > 0 ? timestamp(usage.countingSince) : nil, memoryBytes: usage.memoryBytes,
            restarts: usage.restarts, uptimeMilliseconds: usage.uptimeMilliseconds)
    }
}
