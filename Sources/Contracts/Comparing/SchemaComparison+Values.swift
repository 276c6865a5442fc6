extension SchemaComparison {
    /// - Returns: whether the rest is worth looking at.
    mutating func compareTypes(_ before: SchemaShape, _ after: SchemaShape, _ pair: Pair, _ step: Int) -> Bool {
        let theirs = before.types.subtracting(.null)
        let mine = after.types.subtracting(.null)
        let fits = pair.isRequest ? theirs.isSubset(of: mine) : mine.isSubset(of: theirs)
        guard fits else {
            report(
                pair.isRequest ? .requestTypeChanged : .responseTypeChanged, step,
                "was \(before.types.shown) and is now \(after.types.shown)", before.typeSpot, after.typeSpot)
            return false
        }
        return true
    }

    mutating func compareNull(_ before: SchemaShape, _ after: SchemaShape, _ pair: Pair, _ step: Int) {
        if pair.isRequest, before.isNullable, !after.isNullable {
            report(.requestNotNullable, step, "null is no longer accepted", before.typeSpot, after.typeSpot)
        }
        if !pair.isRequest, !before.isNullable, after.isNullable {
            report(.responseNullable, step, "may now be null", before.typeSpot, after.typeSpot)
        }
    }

    mutating func compareFormats(_ before: SchemaShape, _ after: SchemaShape, _ pair: Pair, _ step: Int) {
        let theirs = before.format?.text
        let mine = after.format?.text
        guard theirs != mine else { return }
        let wide = pair.isRequest ? mine : theirs
        let narrow = pair.isRequest ? theirs : mine
        // Without a format everything of the type goes; of numbers, the wider holds the narrower.
        guard let wide, ![("int64", "int32"), ("double", "float")].contains(where: { $0 == (wide, narrow) }) else {
            return
        }
        // A format is a promise that few check, so its coming or going is only suspicious.
        let severity: ContractChange.Severity = narrow == nil ? .warning : .error
        let message: String
        switch (theirs, mine) {
        case (let theirs?, let mine?): message = "had the format `\(theirs)` and now has `\(mine)`"
        case (let theirs?, nil): message = "no longer has the format `\(theirs)`"
        default: message = "now has the format `\(mine ?? "")`"
        }
        report(
            pair.isRequest ? .requestFormatChanged : .responseFormatChanged, severity: severity, step, message,
            before.format?.spot ?? before.spot, after.format?.spot ?? after.spot)
    }

    mutating func compareValues(_ before: SchemaShape, _ after: SchemaShape, _ pair: Pair, _ step: Int) {
        switch (before.enumeration, after.enumeration) {
        case (nil, nil): break
        case (nil, let mine?):
            guard pair.isRequest else { return }
            report(
                .requestBecameEnum, step, "now takes only \(listed(mine.map(\.value)))", before.spot,
                after.enumerationSpot)
        case (.some, nil):
            guard !pair.isRequest else { return }
            report(
                .responseEnumOpened, step, "may now have other values than those listed before", before.enumerationSpot,
                after.spot)
        case (let theirs?, let mine?):
            let now = Set(mine.map(\.value))
            for (value, spot) in theirs where !now.contains(value) {
                report(
                    pair.isRequest ? .requestEnumValueRemoved : .responseEnumValueRemoved, step, adding: "enum",
                    pair.isRequest
                        ? "the value \(shortened(value)) is no longer accepted"
                        : "the value \(shortened(value)) is no longer sent", spot, after.enumerationSpot)
            }
            guard !pair.isRequest else { return }
            let earlier = Set(theirs.map(\.value))
            for (value, spot) in mine where !earlier.contains(value) {
                report(
                    .responseEnumValueAdded, step, adding: "enum", "the value \(shortened(value)) is new",
                    before.enumerationSpot, spot)
            }
        }
    }

    mutating func compareLimits(_ before: SchemaShape, _ after: SchemaShape, _ pair: Pair, _ step: Int) {
        for keyword in Set(before.bounds.keys).union(after.bounds.keys).sorted() {
            let theirs = before.bounds[keyword]
            let mine = after.bounds[keyword]
            let isLower = keyword.hasPrefix("min")
            let narrowed =
                if let theirs, let mine {
                    pair.isRequest
                        ? mine.isNarrower(than: theirs, isLower: isLower)
                        : theirs.isNarrower(than: mine, isLower: isLower)
                } else {
                    pair.isRequest ? mine != nil : theirs != nil
                }
            guard narrowed else { continue }
            // A limit that was not there may have been kept by everybody all the same.
            let severity: ContractChange.Severity = theirs == nil ? .warning : .error
            report(
                pair.isRequest ? .requestLimitTightened : .responseLimitLoosened, severity: severity, step,
                adding: keyword, "`\(keyword)` was \(Self.shown(theirs)) and is now \(Self.shown(mine))",
                theirs?.spot ?? before.spot, mine?.spot ?? after.spot)
        }
        if pair.isRequest, let pattern = after.pattern, pattern.text != before.pattern?.text {
            report(
                .requestPatternChanged, step, adding: "pattern", "must now match `\(shortened(pattern.text))`",
                before.pattern?.spot ?? before.spot, pattern.spot)
        }
    }

    private static func shown(_ bound: SchemaShape.Bound?) -> String {
        guard let bound else { return "not set" }
        let whole = bound.value == bound.value.rounded() && abs(bound.value) < 1e15
        let text = whole ? String(Int(bound.value)) : "\(bound.value)"
        return bound.isExclusive ? "\(text) (exclusive)" : text
    }

    private func listed(_ values: [String]) -> String {
        shortened(values.prefix(5).joined(separator: ", ") + (values.count > 5 ? ", …" : ""))
    }
}
