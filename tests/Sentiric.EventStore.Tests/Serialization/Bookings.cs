using System.Text.Json.Nodes;
using System.Text.Json.Serialization;

namespace Sentiric.EventStore.Tests.Serialization;

/// <summary>A booking as it is today; version 5 of <c>table_booked</c>.</summary>
public sealed record TableBooked(Guest Guest, int Seats, string Room);

public sealed record Guest(string First, string Last);

/// <summary>Version 2: after <c>Count</c> had become <c>Guests</c>, before names were split.</summary>
public sealed record TableBookedV2(string Name, int Guests);

public sealed record TableBookedV3(string First, string Last, int Guests);

/// <summary>Version 4: with the room, and still flat.</summary>
public sealed record TableBookedV4(string First, string Last, int Guests, string Room);

/// <summary>What another host once stored as <c>host.TableReserved</c>.</summary>
public sealed record TableReserved(string Who, int For);

public sealed record BookingCancelled(string Why);

[JsonSerializable(typeof(TableBooked))]
[JsonSerializable(typeof(TableBookedV2))]
[JsonSerializable(typeof(TableBookedV3))]
[JsonSerializable(typeof(TableBookedV4))]
[JsonSerializable(typeof(TableReserved))]
[JsonSerializable(typeof(BookingCancelled))]
public sealed partial class BookingsJson : JsonSerializerContext;

/// <summary>
/// The life of one event in five versions and under two names, lifted by steps of both kinds.
/// <code>
///   table_booked ─JSON─► v2 ─types─► v3 ─JSON─► v4 ─types─► v5
///   host.TableReserved ─types─► v2
/// </code>
/// </summary>
public static class Bookings
{
    public static readonly EventTypeEntry Booked = EventTypeEntry.Of("table_booked_v5", BookingsJson.Default.TableBooked);

    public static readonly EventTypeEntry Cancelled = EventTypeEntry.Of("booking_cancelled", BookingsJson.Default.BookingCancelled);

    public static IReadOnlyList<IEventUpcaster> Upcasters { get; } = [new CountToGuests(), new SplitName(), new InTheHall(), new OneGuest(), Reserved];

    private static IEventUpcaster Reserved => EventUpcaster.Of(
        "host.TableReserved", 1, BookingsJson.Default.TableReserved, BookingsJson.Default.TableBookedV2, old => new TableBookedV2(old.Who, old.For), to: "table_booked_v2");

    /// <summary>The program of today.</summary>
    public static EventTypeMap Today { get; } = new([Booked, Cancelled], Upcasters);

    /// <summary>The program of then, which wrote version 2.</summary>
    public static EventTypeMap Then { get; } = new([EventTypeEntry.Of("table_booked_v2", BookingsJson.Default.TableBookedV2), Cancelled]);

    public sealed class CountToGuests : IEventUpcaster
    {
        public string EventType => "table_booked";

        public int FromVersion => 1;

        public JsonNode Upcast(JsonNode stored) => new JsonObject { ["Name"] = stored["Name"]!.DeepClone(), ["Guests"] = stored["Count"]!.DeepClone() };
    }

    public sealed class SplitName() : EventUpcaster<TableBookedV2, TableBookedV3>("table_booked", 2, BookingsJson.Default.TableBookedV2, BookingsJson.Default.TableBookedV3)
    {
        protected override TableBookedV3 Upcast(TableBookedV2 old) => new(old.Name[..old.Name.LastIndexOf(' ')], old.Name[(old.Name.LastIndexOf(' ') + 1)..], old.Guests);
    }

    private sealed class InTheHall : IEventUpcaster
    {
        public string EventType => "table_booked";

        public int FromVersion => 3;

        public JsonNode Upcast(JsonNode stored)
        {
            stored["Room"] = "hall";
            return stored;
        }
    }

    private sealed class OneGuest() : EventUpcaster<TableBookedV4, TableBooked>("table_booked", 4, BookingsJson.Default.TableBookedV4, BookingsJson.Default.TableBooked)
    {
        protected override TableBooked Upcast(TableBookedV4 old) => new(new Guest(old.First, old.Last), old.Guests, old.Room);
    }
}
