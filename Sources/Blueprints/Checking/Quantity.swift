/// A Kubernetes quantity: a decimal number with a suffix (`500m`, `1Gi`, `2G`, `1e3`), counted in thousandths.
///
/// <https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/quantity/>
struct Quantity: Equatable {
    let thousandths: Int

    /// `nil` for other text, what is negative, and what is more than 2⁵³.
    init?(_ text: String) {
        let digits = text.prefix { $0.isASCII && ($0.isNumber || $0 == ".") }
        let suffix = String(text.dropFirst(digits.count))
        guard text.utf8.count <= 32, digits.first?.isNumber ?? false, let number = Double(digits) else { return nil }
        let factor: Double
        if let known = Self.factors[suffix] {
            factor = known
        } else if suffix.first == "e" || suffix.first == "E", let exponent = Int(suffix.dropFirst()),
            (-3...18).contains(exponent)
        {
            factor = (0..<abs(exponent)).reduce(1.0) { value, _ in exponent < 0 ? value / 10 : value * 10 }
        } else {
            return nil
        }
        let value = (number * factor * 1000).rounded(.up)
        guard value <= 9e18 else { return nil }
        thousandths = Int(value)
    }

    private static let factors: [String: Double] = [
        "m": 0.001, "": 1, "k": 1e3, "M": 1e6, "G": 1e9, "T": 1e12, "P": 1e15,
        "Ki": 1024, "Mi": 1_048_576, "Gi": 1_073_741_824, "Ti": 1_099_511_627_776, "Pi": 1_125_899_906_842_624,
    ]

    /// The shortest of the ways to write it: the largest suffix that leaves a whole number, powers of two first.
    var normalForm: String {
        guard thousandths % 1000 == 0 else { return "\(thousandths)m" }
        let whole = thousandths / 1000
        for (suffix, exponent) in [("Pi", 50), ("Ti", 40), ("Gi", 30), ("Mi", 20), ("Ki", 10)]
        where whole > 0 && whole % (1 << exponent) == 0 {
            return "\(whole >> exponent)\(suffix)"
        }
        for (suffix, factor) in [
            ("P", 1_000_000_000_000_000), ("T", 1_000_000_000_000), ("G", 1_000_000_000), ("M", 1_000_000),
        ]
        where whole > 0 && whole % factor == 0 {
            return "\(whole / factor)\(suffix)"
        }
        return "\(whole)"
    }
}
