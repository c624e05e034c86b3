using System.Buffers.Binary;
using System.Net;
using System.Text;

namespace Sentiric.Sip;

/// <summary>
/// DNS messages on the wire (RFC 1035 4.1): writes one question, reads the answer to it. Everything read is bounded: names by their 255 bytes,
/// compression by pointers that only go back, records by <see cref="MaxRecords"/>. A message that breaks a rule is no message.
/// </summary>
internal static class DnsMessage
{
    public const int HeaderBytes = 12;
    private const int MaxNameBytes = 255;
    private const int MaxLabelBytes = 63;
    private const int MaxRecords = 256;
    private const ushort RecursionDesired = 0x0100;
    private const ushort Response = 0x8000;
    private const ushort Truncated = 0x0200;
    private const ushort CodeMask = 0x000F;
    private const ushort Internet = 1;
    private const int NoSuchName = 3;
    private static readonly TimeSpan LongestLife = TimeSpan.FromDays(1);
    private static readonly TimeSpan DefaultNegativeLife = TimeSpan.FromMinutes(1);

    /// <summary>RFC 2308 5 allows hours; a trunk that is being set up should not wait for them.</summary>
    private static readonly TimeSpan LongestNegativeLife = TimeSpan.FromMinutes(5);

    /// <summary>Null when the name cannot be a domain name.</summary>
    public static byte[]? Question(ushort id, string name, DnsRecordType type)
    {
        var bytes = new List<byte>(HeaderBytes + name.Length + 6);
        bytes.AddRange([(byte)(id >> 8), (byte)id, RecursionDesired >> 8, 0, 0, 1, 0, 0, 0, 0, 0, 0]);
        foreach (string label in name.TrimEnd('.').Split('.'))
        {
            if (label.Length is 0 or > MaxLabelBytes || !Ascii.IsValid(label))
            {
                return null;
            }

            bytes.Add((byte)label.Length);
            bytes.AddRange(Encoding.ASCII.GetBytes(label));
        }

        bytes.AddRange([0, 0, (byte)type, 0, (byte)Internet]);
        return bytes.Count - HeaderBytes - 4 <= MaxNameBytes ? [.. bytes] : null;
    }

    /// <summary>True when this is the response to that very question: id, direction, name, type and class (RFC 5452 9.1).</summary>
    public static bool Answers(ReadOnlySpan<byte> message, ReadOnlySpan<byte> question) =>
        message.Length >= question.Length && message[..2].SequenceEqual(question[..2]) && (Flags(message) & Response) != 0
        && BinaryPrimitives.ReadUInt16BigEndian(message[4..]) == 1 && Ascii.EqualsIgnoreCase(message[HeaderBytes..question.Length], question[HeaderBytes..]);

    public static bool IsTruncated(ReadOnlySpan<byte> message) => (Flags(message) & Truncated) != 0;

    /// <summary>Null when the server failed or refused, or the message is malformed: another server may know better.</summary>
    /// <param name="question">What <see cref="Answers"/> was asked with.</param>
    public static DnsAnswer? Read(ReadOnlySpan<byte> message, ReadOnlySpan<byte> question, string name, DnsRecordType type)
    {
        int code = Flags(message) & CodeMask;
        if (code is not (0 or NoSuchName))
        {
            return null;
        }

        int answers = BinaryPrimitives.ReadUInt16BigEndian(message[6..]);
        int authorities = BinaryPrimitives.ReadUInt16BigEndian(message[8..]);
        if (answers + authorities > MaxRecords)
        {
            return null;
        }

        var reader = new Reader(message, question.Length);
        var records = new List<DnsRecord>();
        TimeSpan negative = DefaultNegativeLife;
        for (int i = 0; i < answers + authorities; i++)
        {
            if (!reader.TryRecord(i < answers ? records : null, ref negative))
            {
                return null;
            }
        }

        return Choose(records, name.TrimEnd('.'), type, negative);
    }

    private static ushort Flags(ReadOnlySpan<byte> message) => BinaryPrimitives.ReadUInt16BigEndian(message[2..]);

    /// <summary>Follows the aliases; there are no more of them than records.</summary>
    private static DnsAnswer Choose(List<DnsRecord> records, string name, DnsRecordType type, TimeSpan negative)
    {
        TimeSpan life = LongestLife;
        for (int i = 0; i < records.Count && records.OfType<DnsAlias>().FirstOrDefault(alias => Same(alias.Name, name)) is { } alias; i++)
        {
            name = alias.Target;
            life = Shorter(life, alias.TimeToLive);
        }

        List<DnsRecord> found = records.Where(one => Same(one.Name, name) && TypeOf(one) == type).ToList();
        return found.Count == 0
            ? new DnsAnswer(DnsOutcome.Nothing, [], Shorter(negative, LongestNegativeLife))
            : new DnsAnswer(DnsOutcome.Found, found, found.Aggregate(life, (shortest, one) => Shorter(shortest, one.TimeToLive)));
    }

    private static bool Same(string one, string other) => one.Equals(other, StringComparison.OrdinalIgnoreCase);

    private static TimeSpan Shorter(TimeSpan one, TimeSpan other) => one < other ? one : other;

    private static DnsRecordType TypeOf(DnsRecord record) => record switch
    {
        DnsAddress address => address.Address.AddressFamily == System.Net.Sockets.AddressFamily.InterNetwork ? DnsRecordType.A : DnsRecordType.Aaaa,
        DnsService => DnsRecordType.Srv,
        DnsNaming => DnsRecordType.Naptr,
        _ => DnsRecordType.Cname,
    };

    /// <summary>Walks over one message. Every step says whether the bytes were there.</summary>
    private ref struct Reader(ReadOnlySpan<byte> message, int position)
    {
        private readonly ReadOnlySpan<byte> message = message;
        private int position = position;

        /// <param name="into">Null: only the life of negative answers is looked for (RFC 2308 5).</param>
        public bool TryRecord(List<DnsRecord>? into, ref TimeSpan negative)
        {
            if (!TryName(out string name) || position + 10 > message.Length)
            {
                return false;
            }

            ushort type = Number(0), kind = Number(2), length = Number(8);
            // RFC 2181 8: the top bit makes the whole of it zero.
            int seconds = BinaryPrimitives.ReadInt32BigEndian(message[(position + 4)..]);
            TimeSpan life = TimeSpan.FromSeconds(Math.Max(seconds, 0));
            position += 10;
            int end = position + length;
            if (end > message.Length)
            {
                return false;
            }

            bool read = kind != Internet || TryData((DnsRecordType)type, name, life, end, into, ref negative);
            position = end;
            return read;
        }

        private bool TryData(DnsRecordType type, string name, TimeSpan life, int end, List<DnsRecord>? into, ref TimeSpan negative)
        {
            if (into is null)
            {
                return type != DnsRecordType.Soa || TrySoa(life, end, ref negative);
            }

            if (type is not (DnsRecordType.A or DnsRecordType.Aaaa or DnsRecordType.Cname or DnsRecordType.Srv or DnsRecordType.Naptr))
            {
                return true;
            }

            DnsRecord? record = Data(type, name, life, end);
            if (record is not null)
            {
                into.Add(record);
            }

            return record is not null;
        }

        private DnsRecord? Data(DnsRecordType type, string name, TimeSpan life, int end)
        {
            int length = end - position;
            return type switch
            {
                DnsRecordType.A => length == 4 ? new DnsAddress(name, life, new IPAddress(message[position..end])) : null,
                DnsRecordType.Aaaa => length == 16 ? new DnsAddress(name, life, new IPAddress(message[position..end])) : null,
                DnsRecordType.Cname => TryName(out string target) && position == end ? new DnsAlias(name, life, target) : null,
                DnsRecordType.Srv => Service(name, life, end),
                DnsRecordType.Naptr => Naming(name, life, end),
                DnsRecordType.Soa => null,
            };
        }

        private DnsService? Service(string name, TimeSpan life, int end)
        {
            if (end - position < 7)
            {
                return null;
            }

            ushort priority = Number(0), weight = Number(2), port = Number(4);
            position += 6;
            return TryName(out string target) && position == end ? new DnsService(name, life, priority, weight, port, target) : null;
        }

        private DnsNaming? Naming(string name, TimeSpan life, int end)
        {
            if (end - position < 8)
            {
                return null;
            }

            ushort order = Number(0), preference = Number(2);
            position += 4;
            // The regular expression is for numbers (ENUM); SIP uses the replacement alone (RFC 3263 4.1).
            bool read = TryText(end, out string flags) & TryText(end, out string service) && TryText(end, out _);
            return read && TryName(out string replacement) && position == end ? new DnsNaming(name, life, order, preference, flags, service, replacement) : null;
        }

        private bool TrySoa(TimeSpan life, int end, ref TimeSpan negative)
        {
            if (!TryName(out _) || !TryName(out _) || end - position != 20)
            {
                return false;
            }

            TimeSpan minimum = TimeSpan.FromSeconds(BinaryPrimitives.ReadUInt32BigEndian(message[(position + 16)..]));
            negative = Shorter(life, minimum);
            return true;
        }

        private bool TryText(int end, out string text)
        {
            text = "";
            if (position >= end || position + 1 + message[position] > end)
            {
                return false;
            }

            int length = message[position];
            text = Encoding.Latin1.GetString(message.Slice(position + 1, length));
            position += 1 + length;
            return true;
        }

        /// <summary>A name with its compression (RFC 1035 4.1.4). A pointer must point before the name that it stands in, so there is an end.</summary>
        private bool TryName(out string name)
        {
            name = "";
            var text = new StringBuilder();
            int at = position, lowest = position;
            bool jumped = false;
            while (at < message.Length)
            {
                int length = message[at];
                if (length == 0)
                {
                    position = jumped ? position : at + 1;
                    name = text.ToString();
                    return true;
                }

                if (length >= 0xC0)
                {
                    if (at + 2 > message.Length)
                    {
                        return false;
                    }

                    int target = BinaryPrimitives.ReadUInt16BigEndian(message[at..]) & 0x3FFF;
                    position = jumped ? position : at + 2;
                    jumped = true;
                    if (target < HeaderBytes || target >= lowest)
                    {
                        return false;
                    }

                    at = lowest = target;
                }
                else if (length > MaxLabelBytes || at + 1 + length > message.Length || !TryLabel(message.Slice(at + 1, length), text))
                {
                    return false;
                }
                else
                {
                    at += 1 + length;
                }
            }

            return false;
        }

        /// <summary>A dot or a control character inside a label would make another name of it as text.</summary>
        private static bool TryLabel(ReadOnlySpan<byte> label, StringBuilder text)
        {
            if (text.Length + label.Length + 1 > MaxNameBytes || label.ContainsAnyExceptInRange((byte)0x21, (byte)0x7E) || label.Contains((byte)'.'))
            {
                return false;
            }

            text.Append(text.Length == 0 ? "" : ".").Append(Encoding.ASCII.GetString(label));
            return true;
        }

        private readonly ushort Number(int offset) => BinaryPrimitives.ReadUInt16BigEndian(message[(position + offset)..]);
    }
}
