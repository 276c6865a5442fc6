import Foundation

/// Names of the IANA time zone database, as Foundation's own copy of it knows them: no file of the machine is read.
enum ZoneName {
    static func isKnown(_ name: String) -> Bool {
        name == "UTC" || name.utf8.count <= 64 && TimeZone(identifier: name) != nil
    }

    /// `did you mean …?` of a name that is not known: near as a whole, or the name of its city.
    static func hint(_ name: String) -> String {
        let all = TimeZone.knownTimeZoneIdentifiers + ["UTC"]
        let city = name.split(separator: "/").last.map { $0.lowercased().replacing(" ", with: "_") }
        let nearest =
            NearMiss.nearest(name, among: all)
            ?? all.first { $0.split(separator: "/").last?.lowercased() == city }
            ?? city.flatMap {
                NearMiss.nearest($0, among: all.compactMap { $0.split(separator: "/").last.map(String.init) })
            }
            .flatMap { near in all.first { $0.hasSuffix("/" + near) } }
        return nearest.map { "did you mean `\($0)`?" } ?? "such as Europe/Berlin or UTC"
    }
}
