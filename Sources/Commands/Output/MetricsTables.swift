import API

/// Metrics as text.
package enum MetricsTables {
    package static func written(_ metrics: MetricsView) -> String {
        let table = Table(
            [
                "SERVICE", "PROVIDER", "CPU", "CPU TIME", "MEMORY", "PROCS", "RESTARTS", "UPTIME", "REQUESTS",
                "ANSWERED", "ERRORS",
            ],
            metrics.services.map { row($0, in: metrics.name) }
        ).rendered()
        return table + (metrics.message.map { "\n" + $0.visible + "\n" } ?? "")
    }

    private static func row(_ service: ServiceMetricsView, in environment: String) -> [String] {
        let (usage, requests) = (service.usage, service.requests)
        let runs = (usage?.processes ?? 0) > 0
        let errors = requests?.errors.map { "\($0.count) \($0.code)" }.joined(separator: ", ") ?? ""
        return [
            service.name, service.provider.map { ExplanationTables.provider($0, in: environment) } ?? "",
            runs ? usage?.cpuPercent.map { tenths($0) + "%" } ?? "" : "",
            usage.map { tenths($0.cpuSeconds) + "s" } ?? "", runs ? bytes(usage?.memoryBytes ?? 0) : "",
            usage.map { String($0.processes) } ?? "", usage.map { String($0.restarts) } ?? "",
            usage?.uptimeMilliseconds.map(length) ?? "", requests.map { String($0.total) } ?? "",
            requests?.answeredHere.map { String($0) } ?? "", errors,
        ]
    }

    private static func tenths(_ value: Double) -> String {
        let tenths = Int64((value * 10).rounded())
        return "\(tenths / 10).\(tenths % 10)"
    }

    /// `412 B`, `3.4 KiB`, `38 MiB`, `1.2 GiB`.
    package static func bytes(_ count: Int64) -> String {
        guard count >= 1024 else { return "\(max(0, count)) B" }
        var value = Double(count)
        var unit = ""
        for next in ["KiB", "MiB", "GiB", "TiB"] where value >= 1024 {
            value /= 1024
            unit = next
        }
        return (value < 10 ? tenths(value) : String(Int64(value.rounded()))) + " " + unit
    }

    /// `42s`, `3m`, `5h`, `12d`.
    private static func length(_ milliseconds: Int64) -> String {
        let seconds = milliseconds / 1000
        switch seconds {
        case ..<120: return "\(seconds)s"
        case ..<7200: return "\(seconds / 60)m"
        case ..<172_800: return "\(seconds / 3600)h"
        default: return "\(seconds / 86_400)d"
        }
    }
}
