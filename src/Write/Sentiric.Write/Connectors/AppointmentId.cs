using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;

namespace Sentiric.Write.Connectors;

/// <summary>
/// A UUID of version 8 (RFC 9562 5.8) that carries the appointment's day in its first 32 bits, so that the day's stream is found from the id;
/// the rest comes from the idempotency key, so that a repeated booking has the same id.
/// </summary>
public static class AppointmentId
{
    public static Guid Of(DateOnly day, string tenant, string connector, string key)
    {
        Span<byte> bytes = stackalloc byte[32];
        SHA256.HashData(Encoding.UTF8.GetBytes($"{tenant}\n{connector}\n{key}"), bytes);
        BinaryPrimitives.WriteInt32BigEndian(bytes, day.DayNumber);
        bytes[6] = (byte)((bytes[6] & 0x0F) | 0x80);
        bytes[8] = (byte)((bytes[8] & 0x3F) | 0x80);
        return new Guid(bytes[..16], bigEndian: true);
    }

    /// <summary>The day of an id that we made; null for any other.</summary>
    public static DateOnly? DayOf(Guid id)
    {
        Span<byte> bytes = stackalloc byte[16];
        id.TryWriteBytes(bytes, bigEndian: true, out _);
        var number = BinaryPrimitives.ReadInt32BigEndian(bytes);
        return id.Version == 8 && number >= DateOnly.MinValue.DayNumber && number <= DateOnly.MaxValue.DayNumber ? DateOnly.FromDayNumber(number) : null;
    }
}
