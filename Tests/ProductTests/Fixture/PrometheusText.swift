import TestSupport

/// A strict reading of Prometheus' text format 0.0.4: every family has its help and its type before its samples, samples of
/// a family stand together, none comes twice, and the buckets of a histogram grow to its count.
enum PrometheusText {
    struct Sample {
        let name: String
        let labels: [String: String]
        let value: Double
    }

    static func parse(_ text: String) throws -> [Sample] {
        guard text.hasSuffix("\n") else { throw wrong("the last line has no end", text) }
        var samples: [Sample] = []
        var seen: Set<String> = []
        var helped: Set<String> = []
        var family = ""
        var type = ""
        var help = ""
        for line in text.split(separator: "\n", omittingEmptySubsequences: false).dropLast().map(String.init) {
            let words = line.split(separator: " ", maxSplits: 3).map(String.init)
            if line.hasPrefix("# HELP ") {
                guard words.count == 4, helped.insert(words[2]).inserted else { throw wrong("a second help", line) }
                help = words[2]
            } else if line.hasPrefix("# TYPE ") {
                guard words.count == 4, words[2] == help, ["counter", "gauge", "histogram"].contains(words[3]) else {
                    throw wrong("a type without its help", line)
                }
                (family, type) = (words[2], words[3])
            } else {
                let sample = try sample(line)
                let suffixes = type == "histogram" ? ["_bucket", "_sum", "_count"] : [""]
                guard suffixes.contains(where: { family + $0 == sample.name }) else {
                    throw wrong("a sample of another family than \(family)", line)
                }
                guard seen.insert(String(line[..<(line.lastIndex(of: " ") ?? line.endIndex)])).inserted else {
                    throw wrong("a sample that was there", line)
                }
                if type == "counter", !family.hasSuffix("_total") { throw wrong("a counter's name", line) }
                samples.append(sample)
            }
        }
        try checkHistograms(samples)
        return samples
    }

    private static func sample(_ line: String) throws -> Sample {
        let pattern = /([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{((?:[a-zA-Z_][a-zA-Z0-9_]*="(?:[^"\\]|\\.)*",?)*)\})? (\S+)/
        guard let match = line.wholeMatch(of: pattern), let value = Double(match.3.replacing("+Inf", with: "inf"))
        else {
            throw wrong("no sample", line)
        }
        var labels: [String: String] = [:]
        for label in (match.2 ?? "").matches(of: /([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\]|\\.)*)"/) {
            guard labels.updateValue(String(label.2), forKey: String(label.1)) == nil else {
                throw wrong("a label that was there", line)
            }
        }
        return Sample(name: String(match.1), labels: labels, value: value)
    }

    private static func checkHistograms(_ samples: [Sample]) throws {
        var last: (labels: [String: String], bound: Double, count: Double)?
        for sample in samples where sample.name.hasSuffix("_bucket") {
            var labels = sample.labels
            let bound = Double((labels.removeValue(forKey: "le") ?? "").replacing("+Inf", with: "inf")) ?? -1
            if let before = last, before.labels == labels, before.bound < .infinity {
                guard before.bound < bound, before.count <= sample.value else {
                    throw wrong("buckets that do not grow", sample.name)
                }
            }
            last = (labels, bound, sample.value)
            guard bound == .infinity else { continue }
            let count = samples.first {
                $0.name == sample.name.replacing("_bucket", with: "_count") && $0.labels == labels
            }
            guard count?.value == sample.value else { throw wrong("a count that is not the last bucket", sample.name) }
        }
    }

    private static func wrong(_ what: String, _ line: String) -> NeverHappened {
        NeverHappened(description: "\(what): \(line)")
    }
}
