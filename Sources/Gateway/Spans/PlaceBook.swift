import EnvironmentGraph
import HTTPWire

/// Numbers for the places of one block, and their bytes: a batch has a thousand spans, and with a thousand overlays as many
/// places. Everything is found by position, so that no text is hashed.
struct PlaceBook {
    private static let noText: UInt16 = 0

    private var placeNumbers = NumberTable(slots: 4 * SpanBatch.capacity)
    private var keys: [PlaceKey] = []
    private var textNumbers = NumberTable(slots: 16 * SpanBatch.capacity)
    private(set) var stringCount = 0
    private let strings = WireBuffer(capacity: 4096)
    private let places = WireBuffer(capacity: 1024)
    private let all = WireBuffer(capacity: 4096)

    var count: Int { keys.count }

    /// Strings, then places.
    var bytes: UnsafeRawBufferPointer {
        all.clear()
        all.append(strings.bytes)
        all.append(places.bytes)
        return all.bytes
    }

    mutating func clear() {
        placeNumbers.clear()
        textNumbers.clear()
        keys.removeAll(keepingCapacity: true)
        strings.clear()
        places.clear()
        stringCount = 0
        _ = add("")
    }

    mutating func number(of span: HopSpan, _ table: CompiledTable) -> UInt16 {
        let key = PlaceKey(span)
        var hash = key.mixed
        while let number = placeNumbers.find(hash) {
            if keys[Int(number)] == key { return number }
            // Two places of one hash: the second is looked for elsewhere.
            hash = hash &* 0x9E37_79B9_7F4A_7C15 &+ 1
        }
        let number = UInt16(truncatingIfNeeded: keys.count)
        placeNumbers.insert(hash, number)
        keys.append(key)
        append(key, table)
        return number
    }

    private enum Kind: UInt64 {
        case environment = 1
        case service, listener, fault
    }

    private mutating func append(_ key: PlaceKey, _ table: CompiledTable) {
        let listener = key.listener >= 0 ? table.numberedListeners[Int(key.listener)] : nil
        let copy = key.service >= 0 ? table.services[Int(key.service)] : nil
        if let listener {
            let first = texts(.listener, key.listener, key.table) { [listener.caller, listener.service] }
            places.append(little: first)
            places.append(little: first + 1)
        } else {
            places.append(little: texts(.listener, -1, 0) { ["edge"] })
            places.append(
                little: copy.map { copy in texts(.service, key.service, key.table) { [copy.name] } } ?? Self.noText)
        }
        for position in [key.environment, key.context, copy.map { Int32($0.environment) } ?? -1] {
            guard position >= 0 else {
                places.append(little: Self.noText)
                places.append(little: Self.noText)
                continue
            }
            let environment = table.environments[Int(position)]
            let first = texts(.environment, position, key.table) { [environment.id.rawValue, environment.name] }
            places.append(little: first)
            places.append(little: first + 1)
        }
        let fault = key.fault > 0 ? GatewayFault(rawValue: key.fault - 1) : nil
        places.append(little: fault.map { fault in texts(.fault, Int32(key.fault), 0) { [fault.code] } } ?? Self.noText)
        let revision = copy.map { table.environments[$0.environment].revision } ?? 0
        places.append(little: UInt32(truncatingIfNeeded: revision))
    }

    /// The number of the first; the others follow it.
    private mutating func texts(
        _ kind: Kind, _ position: Int32, _ table: UInt8, _ make: () -> [String]
    ) -> UInt16 {
        let key = UInt64(table) << 48 | kind.rawValue << 40 | UInt64(UInt32(bitPattern: position))
        if let known = textNumbers.find(key) { return known }
        var first: UInt16?
        for text in make() {
            let number = add(text)
            first = first ?? number
        }
        let number = first ?? Self.noText
        textNumbers.insert(key, number)
        return number
    }

    private mutating func add(_ text: String) -> UInt16 {
        defer { stringCount += 1 }
        var text = text
        text.withUTF8 { bytes in
            let count = min(bytes.count, 1000)
            strings.append(little: UInt16(count))
            strings.append(UnsafeRawBufferPointer(UnsafeBufferPointer(rebasing: bytes[..<count])))
        }
        return UInt16(truncatingIfNeeded: stringCount)
    }
}

/// From 64-bit keys to small numbers; emptying it costs nothing.
struct NumberTable {
    private struct Slot {
        var key: UInt64 = 0
        var round: UInt32 = 0
        var number: UInt16 = 0
    }

    private var slots: [Slot]
    /// Slots of earlier rounds are free.
    private var round: UInt32 = 1

    /// - Parameter slots: a power of two, at least twice as many as there will be keys.
    init(slots count: Int) { slots = Array(repeating: Slot(), count: count) }

    mutating func clear() {
        round &+= 1
        guard round == 0 else { return }
        for index in slots.indices { slots[index] = Slot() }
        round = 1
    }

    func find(_ key: UInt64) -> UInt16? {
        var index = place(key)
        while slots[index].round == round {
            if slots[index].key == key { return slots[index].number }
            index = (index + 1) & (slots.count - 1)
        }
        return nil
    }

    mutating func insert(_ key: UInt64, _ number: UInt16) {
        var index = place(key)
        while slots[index].round == round { index = (index + 1) & (slots.count - 1) }
        slots[index] = Slot(key: key, round: round, number: number)
    }

    private func place(_ key: UInt64) -> Int {
        let hash = key &* 0x9E37_79B9_7F4A_7C15
        return Int(truncatingIfNeeded: hash ^ (hash >> 32)) & (slots.count - 1)
    }
}

/// A place in positions of a batch's tables.
struct PlaceKey: Hashable {
    var table: UInt8
    var listener: Int32
    var environment: Int32
    var service: Int32
    var context: Int32
    var fault: UInt8

    init(_ span: HopSpan) {
        (table, listener, environment) = (span.table, span.listener, span.environment)
        (service, context, fault) = (span.service, span.context, span.fault)
    }

    fileprivate var mixed: UInt64 {
        func pair(_ low: Int32, _ high: Int32) -> UInt64 {
            UInt64(UInt32(bitPattern: low)) | UInt64(UInt32(bitPattern: high)) << 32
        }
        let hash = (pair(listener, environment) &* 0xBF58_476D_1CE4_E5B9) ^ pair(service, context)
        return (hash ^ (hash >> 31)) &* 0x94D0_49BB_1331_11EB ^ (UInt64(table) << 8 | UInt64(fault))
    }
}

extension SpanPlace {
    init(_ key: PlaceKey, _ table: CompiledTable) {
        let listener = key.listener >= 0 ? table.numberedListeners[Int(key.listener)] : nil
        let copy = key.service >= 0 ? table.services[Int(key.service)] : nil
        func named(_ position: Int) -> Environment? {
            guard position >= 0 else { return nil }
            return Environment(id: table.environments[position].id, name: table.environments[position].name)
        }
        self.init(
            caller: listener?.caller ?? "edge", service: listener?.service ?? copy?.name ?? "",
            environment: named(Int(key.environment)) ?? Environment(id: EnvironmentID(rawValue: ""), name: ""),
            context: named(Int(key.context)), provider: copy.flatMap { named($0.environment) },
            revision: copy.map { table.environments[$0.environment].revision } ?? 0,
            fault: key.fault > 0 ? GatewayFault(rawValue: key.fault - 1)?.code : nil)
    }
}
