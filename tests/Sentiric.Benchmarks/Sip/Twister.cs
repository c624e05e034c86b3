using System.Text;

namespace Sentiric.Benchmarks.Sip;

/// <summary>Makes broken messages out of good ones: bytes exchanged, cut, doubled, swollen, spliced; a dialog's requests in any order among them.</summary>
public sealed class Twister(Random dice)
{
    private const int LongestSwelling = 20_000;
    private const string Poison = "\r\n \t\0:;,<>\"@?=%\\[]zZ09-+\u00ff";
    private static readonly string[] Methods = ["INVITE", "ACK", "BYE", "CANCEL", "OPTIONS", "REGISTER", "UPDATE", "PRACK", "INFO", "invite", "X"];

    public byte[] Next()
    {
        var bytes = dice.Next(4) == 0 ? SampleInvite.Bytes : Encoding.Latin1.GetBytes(Whole());
        return dice.Next(8) switch
        {
            0 => bytes,
            1 => bytes[..dice.Next(bytes.Length)],
            2 => Splice(bytes, Encoding.Latin1.GetBytes(Whole())),
            3 => Swell(bytes),
            _ => Poisoned((byte[])bytes.Clone()),
        };
    }

    /// <summary>A well-formed message of one of a few calls, so that some meet a transaction or a dialog.</summary>
    private string Whole()
    {
        var method = Methods[dice.Next(Methods.Length)];
        var call = dice.Next(50);
        var line = dice.Next(5) == 0 ? $"SIP/2.0 {dice.Next(100, 700)} Reason" : $"{method} sip:{dice.Next(100)}@192.0.2.1:{dice.Next(1, 70_000)};lr SIP/2.0";
        var body = dice.Next(2) == 0 ? SampleInvite.Offer : "";
        return $"{line}\r\nVia: SIP/2.0/UDP 192.0.2.{dice.Next(4)};rport;branch=z9hG4bK{dice.Next(200)}\r\n"
            + $"From: \"a\\\"b\" <sip:a@h>;tag=f{call}\r\nTo: <sip:b@h>{(dice.Next(2) == 0 ? $";tag=t{call}" : "")}\r\nCall-ID: c{call}\r\nCSeq: {dice.Next(6)} {method}\r\n"
            + $"Contact: <sip:a@192.0.2.9;x=%41>, <sip:c@h>;expires={dice.Next()}\r\nRecord-Route: <sip:p;lr>\r\nMax-Forwards: {dice.Next(80)}\r\n"
            + $"Content-Type: application/sdp\r\nContent-Length: {body.Length}\r\n\r\n{body}";
    }

    private byte[] Poisoned(byte[] bytes)
    {
        for (var i = dice.Next(1, 10); i > 0; i--) bytes[dice.Next(bytes.Length)] = dice.Next(3) == 0 ? (byte)dice.Next(256) : (byte)Poison[dice.Next(Poison.Length)];
        return bytes;
    }

    private byte[] Splice(byte[] one, byte[] other) => [.. one[..dice.Next(one.Length)], .. other[dice.Next(other.Length)..]];

    /// <summary>One byte, over and over: the classic against parsers that look back.</summary>
    private byte[] Swell(byte[] bytes)
    {
        var at = dice.Next(bytes.Length);
        var filler = new byte[dice.Next(LongestSwelling)];
        Array.Fill(filler, (byte)Poison[dice.Next(Poison.Length)]);
        return [.. bytes[..at], .. filler, .. bytes[at..]];
    }
}
