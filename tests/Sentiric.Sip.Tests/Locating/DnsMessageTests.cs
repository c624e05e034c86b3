using System.Net;
using Sentiric.Sip;

namespace Sentiric.Sip.Tests.Locating;

/// <summary>Messages as bytes: written by hand from RFC 1035 4.1, RFC 2782 and RFC 3403.</summary>
public sealed class DnsMessageTests
{
    // id 0x1234, RD, one question: 7 example 3 com 0, NAPTR, IN.
    private const string NaptrQuestion = "1234 0100 0001 0000 0000 0000 07 6578616d706c65 03 636f6d 00 0023 0001";
    private const string SrvQuestion = "1234 0100 0001 0000 0000 0000 04 5f736970 04 5f746370 07 6578616d706c65 03 636f6d 00 0021 0001";

    [Fact]
    public void A_question_is_written_as_rfc_1035_draws_it()
    {
        Assert.Equal(Bytes(NaptrQuestion), DnsMessage.Question(0x1234, "example.com.", DnsRecordType.Naptr));
        Assert.Null(DnsMessage.Question(1, new string('a', 64) + ".com", DnsRecordType.A));
        Assert.Null(DnsMessage.Question(1, string.Join('.', Enumerable.Repeat("abcdefghi", 26)), DnsRecordType.A));
        Assert.Null(DnsMessage.Question(1, "a..b", DnsRecordType.A));
    }

    [Fact]
    public void Naptr_records_are_read_with_their_compressed_names()
    {
        // Answer: pointer to the question's name; order 50, preference 50, "s", "SIP+D2T", "", _sip._tcp + pointer.
        byte[] message = Bytes("1234 8180 0001 0001 0000 0000 07 6578616d706c65 03 636f6d 00 0023 0001"
            + "c00c 0023 0001 00000e10 001b 0032 0032 01 73 07 5349502b443254 00 04 5f736970 04 5f746370 c00c");
        DnsAnswer answer = Read(message, NaptrQuestion, "example.com", DnsRecordType.Naptr)!;
        Assert.Equal(new DnsNaming("example.com", TimeSpan.FromHours(1), 50, 50, "s", "SIP+D2T", "_sip._tcp.example.com"), Assert.Single(answer.Records));
        Assert.Equal(TimeSpan.FromHours(1), answer.TimeToLive);
    }

    [Fact]
    public void Srv_records_are_read_and_the_shortest_life_counts()
    {
        byte[] message = Bytes("1234 8180 0001 0002 0000 0000 04 5f736970 04 5f746370 07 6578616d706c65 03 636f6d 00 0021 0001"
            + "c00c 0021 0001 0000003c 000b 000a 0014 13c4 02 6d61 c016"
            + "c00c 0021 0001 0000001e 0007 0014 0000 13c5 00");
        DnsAnswer answer = Read(message, SrvQuestion, "_sip._tcp.example.com", DnsRecordType.Srv)!;
        Assert.Equal(
            [
                new DnsService("_sip._tcp.example.com", TimeSpan.FromSeconds(60), 10, 20, 5060, "ma.example.com"),
                new DnsService("_sip._tcp.example.com", TimeSpan.FromSeconds(30), 20, 0, 5061, ""),
            ],
            answer.Records.Cast<DnsService>());
        Assert.Equal(TimeSpan.FromSeconds(30), answer.TimeToLive);
    }

    [Fact]
    public void Aliases_are_followed_and_addresses_of_both_families_are_read()
    {
        const string question = "0001 0100 0001 0000 0000 0000 01 61 01 62 00 0001 0001";
        byte[] message = Bytes("0001 8180 0001 0002 0000 0000 01 61 01 62 00 0001 0001"
            + "c00c 0005 0001 0000000a 0004 01 63 c00e"
            + "01 63 c00e 0001 0001 00000064 0004 c0000201");
        DnsAnswer answer = Read(message, question, "A.b", DnsRecordType.A)!;
        Assert.Equal(IPAddress.Parse("192.0.2.1"), Assert.IsType<DnsAddress>(Assert.Single(answer.Records)).Address);
        Assert.Equal(TimeSpan.FromSeconds(10), answer.TimeToLive);
    }

    [Fact]
    public void A_name_that_does_not_exist_is_remembered_for_the_minimum_of_its_zone()
    {
        // NXDOMAIN with an SOA: life 3600, minimum 120.
        byte[] message = Bytes("1234 8183 0001 0000 0001 0000 07 6578616d706c65 03 636f6d 00 0023 0001"
            + "c00c 0006 0001 00000e10 0018 c00c c00c 00000001 00000002 00000003 00000004 00000078");
        DnsAnswer answer = Read(message, NaptrQuestion, "example.com", DnsRecordType.Naptr)!;
        Assert.Equal((DnsOutcome.Nothing, TimeSpan.FromSeconds(120)), (answer.Outcome, answer.TimeToLive));
    }

    [Theory]
    [InlineData("c01d")] // a name that points at itself
    [InlineData("c0ff")] // beyond the end
    [InlineData("c004")] // into the header
    [InlineData("41")] // a label of a kind that is not defined
    [InlineData("05 6161")] // cut short
    [InlineData("03 612e62 00 0001 0001 00000001 0004 c0000201")] // a dot inside a label
    [InlineData("c00c 0001 0001 00000001 0003 c00002")] // three bytes of an address
    [InlineData("c00c 0021 0001 00000001 0006 0000 0000 0000")] // SRV without a target
    public void A_malformed_record_makes_the_answer_useless(string record)
    {
        byte[] message = Bytes("1234 8180 0001 0001 0000 0000 07 6578616d706c65 03 636f6d 00 0023 0001" + record);
        Assert.Null(Read(message, NaptrQuestion, "example.com", DnsRecordType.Naptr));
    }

    [Fact]
    public void Only_the_answer_to_this_very_question_counts()
    {
        byte[] question = Bytes(NaptrQuestion);
        byte[] answer = Bytes("1234 8180 0001 0000 0000 0000 07 4578616d706c65 03 636f6d 00 0023 0001");
        Assert.True(DnsMessage.Answers(answer, question));
        for (int i = 0; i < question.Length; i++)
        {
            // Flags and the counts of records may differ; 0x20 in a letter of the name is case.
            if (i is 2 or 3 or (>= 6 and < 12))
            {
                continue;
            }

            byte[] other = [.. answer];
            other[i] ^= 0x01;
            Assert.False(DnsMessage.Answers(other, question), $"byte {i}");
            Assert.False(DnsMessage.Answers(answer.AsSpan(0, i), question), $"{i} bytes");
        }

        Assert.False(DnsMessage.Answers(question, question));
    }

    [Fact]
    public void Twisted_answers_never_throw()
    {
        byte[] message = Bytes("1234 8180 0001 0001 0001 0000 07 6578616d706c65 03 636f6d 00 0023 0001"
            + "c00c 0023 0001 00000e10 001b 0032 0032 01 73 07 5349502b443254 00 04 5f736970 04 5f746370 c00c"
            + "c00c 0006 0001 00000e10 0018 c00c c00c 00000001 00000002 00000003 00000004 00000078");
        byte[] question = Bytes(NaptrQuestion);
        var dice = new Random(7);
        for (int i = 0; i < 50_000; i++)
        {
            byte[] twisted = [.. message[..(question.Length + dice.Next(message.Length - question.Length + 1))]];
            for (int n = dice.Next(5); n > 0; n--)
            {
                twisted[dice.Next(twisted.Length)] = (byte)dice.Next(256);
            }

            if (DnsMessage.Answers(twisted, question))
            {
                DnsMessage.Read(twisted, question, "example.com", DnsRecordType.Naptr);
            }
        }
    }

    [Fact]
    public void The_machines_files_are_read_as_their_manual_pages_say()
    {
        Assert.Equal(
            [IPEndPoint.Parse("10.0.0.2:53"), IPEndPoint.Parse("[fd00::1]:53")],
            DnsServers.Parse(["# comment", "search a.b", "nameserver 10.0.0.2 # ours", "nameserver\tfd00::1", "nameserver nonsense", "options ndots:1"]));
        ILookup<string, IPAddress> hosts = DnsServers.ParseHosts(["127.0.0.1\tlocalhost", "10.0.0.9 Trunk.Example trunk", "no.address x"]);
        Assert.Equal([IPAddress.Parse("10.0.0.9")], hosts["trunk.example"]);
        Assert.Empty(hosts["x"]);
        foreach (var (text, server) in new[] { ("10.0.0.1", "10.0.0.1:53"), ("10.0.0.1:5353", "10.0.0.1:5353"), ("fd00::1", "[fd00::1]:53"), ("[fd00::1]:54", "[fd00::1]:54") })
        {
            Assert.True(DnsServers.TryParseServer(text, out IPEndPoint? read), text);
            Assert.Equal(IPEndPoint.Parse(server), read);
        }

        Assert.False(DnsServers.TryParseServer("dns.example", out _));
    }

    private static DnsAnswer? Read(byte[] message, string question, string name, DnsRecordType type)
    {
        Assert.True(DnsMessage.Answers(message, Bytes(question)));
        return DnsMessage.Read(message, Bytes(question), name, type);
    }

    internal static byte[] Bytes(string hex) => Convert.FromHexString(hex.Replace(" ", ""));
}
