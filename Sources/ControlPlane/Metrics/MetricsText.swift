/// Metrics in Prometheus' text format 0.0.4: families in the order that they are added, each with its help and type once.
struct MetricsText: Sendable {
    static let contentType = "text/plain; version=0.0.4; charset=utf-8"

    enum Kind: String, Sendable {
        case counter, gauge, histogram
    }

    struct Label: Sendable {
        let name: String
        let value: String

        init(_ name: String, _ value: String) {
            self.name = name
            self.value = value
        }
    }

    struct Series: Sendable {
        var labels: [Label]
        var histogram: Histogram
    }

    struct Sample: Sendable {
        /// After the family's name; only a histogram's samples have one.
        var suffix = ""
        var labels: [Label] = []
        var value: Double
    }

    private(set) var text = ""

    mutating func add(_ name: String, _ kind: Kind, _ help: String, _ samples: [Sample]) {
        guard !samples.isEmpty else { return }
        text += "# HELP \(name) \(Self.escaped(help, quotes: false))\n# TYPE \(name) \(kind.rawValue)\n"
        for sample in samples {
            text += name + sample.suffix
            if !sample.labels.isEmpty {
                let labels = sample.labels.map { "\($0.name)=\"\(Self.escaped($0.value, quotes: true))\"" }
                text += "{" + labels.joined(separator: ",") + "}"
            }
            text += " " + Self.number(sample.value) + "\n"
        }
    }

    mutating func add(_ name: String, _ kind: Kind, _ help: String, _ value: Double) {
        add(name, kind, help, [Sample(value: value)])
    }

    mutating func add(_ name: String, _ help: String, _ series: [Series]) {
        add(name, .histogram, help, series.flatMap { Self.samples($0) })
    }

    private static func samples(_ series: Series) -> [Sample] {
        let histogram = series.histogram
        var seen: UInt64 = 0
        var samples: [Sample] = []
        for (bound, count) in zip(histogram.bounds + [Double.infinity], histogram.counts) {
            seen += count
            let labels = series.labels + [Label("le", number(bound))]
            samples.append(Sample(suffix: "_bucket", labels: labels, value: Double(seen)))
        }
        samples.append(Sample(suffix: "_sum", labels: series.labels, value: histogram.sum))
        samples.append(Sample(suffix: "_count", labels: series.labels, value: Double(seen)))
        return samples
    }

    private static func number(_ value: Double) -> String {
        if value == .infinity { return "+Inf" }
        return value == value.rounded() && abs(value) < 1e15 ? "\(Int64(value))" : "\(value)"
    }

    private static func escaped(_ text: String, quotes: Bool) -> String {
        text.reduce(into: "") { result, character in
            switch character {
            case "\\": result += "\\\\"
            case "\n": result += "\\n"
            case "\"" where quotes: result += "\\\""
            default: result.append(character)
            }
        }
    }
}

/// How often something took how long, in seconds.
struct Histogram: Sendable, Hashable {
    /// Upper ends of the buckets, ascending; one more bucket takes the rest.
    let bounds: [Double]
    private(set) var counts: [UInt64]
    private(set) var sum = 0.0

    init(bounds: [Double]) {
        self.bounds = bounds
        counts = [UInt64](repeating: 0, count: bounds.count + 1)
    }

    /// One that was counted elsewhere; `counts` has one more than `bounds`.
    init(bounds: [Double], counts: [UInt64], sum: Double) {
        precondition(counts.count == bounds.count + 1, "a histogram has one bucket more than bounds")
        self.bounds = bounds
        self.counts = counts
        self.sum = sum
    }

    mutating func observe(_ seconds: Double) {
        counts[bounds.firstIndex { seconds <= $0 } ?? bounds.count] += 1
        sum += seconds
    }
}
