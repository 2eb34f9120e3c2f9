;; Finds the brackets of a JSON text that stand outside of strings, 64 bytes at a time.
;;
;; Bytes 0 to 65535 of the memory are the piece of text to look at, 65536 on is where the places go that are found in it.
(module
  (memory (export "memory") 5)
  ;; -1 behind the quote that opens a string, 0 behind the one that closes it
  (global $inString (mut i64) (i64.const 0))
  ;; 1 where the last byte was a backslash that escapes the next one
  (global $escapes (mut i64) (i64.const 0))
  (global $depth (mut i32) (i32.const 0))

  ;; Before the first piece of another text.
  (func (export "begin")
    (global.set $inString (i64.const 0))
    (global.set $escapes (i64.const 0))
    (global.set $depth (i32.const 0)))

  ;; Which of 64 bytes a backslash escapes; the first one, where the last of the bytes before does.
  (func $escaped (param $backslashes i64) (result i64)
    (local $escaped i64)
    (local $bit i64)
    (local.set $escaped (global.get $escapes))
    (global.set $escapes (i64.const 0))
    (local.set $backslashes
      (i64.and (local.get $backslashes) (i64.xor (local.get $escaped) (i64.const -1))))
    (block $done
      (loop $next
        (br_if $done (i64.eqz (local.get $backslashes)))
        (local.set $bit
          (i64.and (local.get $backslashes) (i64.sub (i64.const 0) (local.get $backslashes))))
        (if (i64.lt_s (local.get $bit) (i64.const 0))
          (then (global.set $escapes (i64.const 1))))
        (local.set $escaped (i64.or (local.get $escaped) (i64.shl (local.get $bit) (i64.const 1))))
        (local.set $backslashes
          (i64.and
            (i64.xor (local.get $bit) (local.get $backslashes))
            (i64.xor (i64.shl (local.get $bit) (i64.const 1)) (i64.const -1))))
        (br $next)))
    (local.get $escaped))

  ;; Looks at the next $length bytes of a text, a multiple of 64.
  ;; The results are how many places were found, of the brackets at depth 2 in turn: where one begins, and behind its end;
  ;; and the offset behind the bracket that closes the text, -1 where that does not come yet, -2 where a backslash stands
  ;; outside of strings.
  (func (export "scan") (param $length i32) (result i32 i32)
    (local $at i32)
    (local $count i32)
    (local $place i32)
    (local $depth i32)
    (local $backslashes i64)
    (local $quotes i64)
    (local $strings i64)
    (local $opening i64)
    (local $brackets i64)
    (local $bytes0 v128)
    (local $bytes1 v128)
    (local $bytes2 v128)
    (local $bytes3 v128)
    (local.set $depth (global.get $depth))
    (block $end
      (loop $block
        (br_if $end (i32.ge_u (local.get $at) (local.get $length)))
        (local.set $bytes0 (v128.load offset=0 (local.get $at)))
        (local.set $bytes1 (v128.load offset=16 (local.get $at)))
        (local.set $bytes2 (v128.load offset=32 (local.get $at)))
        (local.set $bytes3 (v128.load offset=48 (local.get $at)))
        (local.set $quotes
          (i64.or
            (i64.or
              (i64.extend_i32_u (i8x16.bitmask (i8x16.eq (local.get $bytes0) (i8x16.splat (i32.const 0x22)))))
              (i64.shl (i64.extend_i32_u (i8x16.bitmask (i8x16.eq (local.get $bytes1) (i8x16.splat (i32.const 0x22))))) (i64.const 16)))
            (i64.or
              (i64.shl (i64.extend_i32_u (i8x16.bitmask (i8x16.eq (local.get $bytes2) (i8x16.splat (i32.const 0x22))))) (i64.const 32))
              (i64.shl (i64.extend_i32_u (i8x16.bitmask (i8x16.eq (local.get $bytes3) (i8x16.splat (i32.const 0x22))))) (i64.const 48)))))
        (local.set $backslashes
          (i64.or
            (i64.or
              (i64.extend_i32_u (i8x16.bitmask (i8x16.eq (local.get $bytes0) (i8x16.splat (i32.const 0x5c)))))
              (i64.shl (i64.extend_i32_u (i8x16.bitmask (i8x16.eq (local.get $bytes1) (i8x16.splat (i32.const 0x5c))))) (i64.const 16)))
            (i64.or
              (i64.shl (i64.extend_i32_u (i8x16.bitmask (i8x16.eq (local.get $bytes2) (i8x16.splat (i32.const 0x5c))))) (i64.const 32))
              (i64.shl (i64.extend_i32_u (i8x16.bitmask (i8x16.eq (local.get $bytes3) (i8x16.splat (i32.const 0x5c))))) (i64.const 48)))))
        (if (i64.ne (i64.or (local.get $backslashes) (global.get $escapes)) (i64.const 0))
          (then
            (local.set $quotes
              (i64.and
                (local.get $quotes)
                (i64.xor (call $escaped (local.get $backslashes)) (i64.const -1))))))
        ;; each bit is the parity of the quotes up to it: 1 from the one that opens a string to before the one that closes it
        (local.set $strings (i64.xor (local.get $quotes) (i64.shl (local.get $quotes) (i64.const 1))))
        (local.set $strings (i64.xor (local.get $strings) (i64.shl (local.get $strings) (i64.const 2))))
        (local.set $strings (i64.xor (local.get $strings) (i64.shl (local.get $strings) (i64.const 4))))
        (local.set $strings (i64.xor (local.get $strings) (i64.shl (local.get $strings) (i64.const 8))))
        (local.set $strings (i64.xor (local.get $strings) (i64.shl (local.get $strings) (i64.const 16))))
        (local.set $strings (i64.xor (local.get $strings) (i64.shl (local.get $strings) (i64.const 32))))
        (local.set $strings (i64.xor (local.get $strings) (global.get $inString)))
        (global.set $inString (i64.shr_s (local.get $strings) (i64.const 63)))
        (if (i64.ne
              (i64.and (local.get $backslashes) (i64.xor (local.get $strings) (i64.const -1)))
              (i64.const 0))
          (then (return (i32.const 0) (i32.const -2))))
        ;; with the bit 0x20 "[" is "{", and "]" is "}"
        (local.set $bytes0 (v128.or (local.get $bytes0) (i8x16.splat (i32.const 0x20))))
        (local.set $bytes1 (v128.or (local.get $bytes1) (i8x16.splat (i32.const 0x20))))
        (local.set $bytes2 (v128.or (local.get $bytes2) (i8x16.splat (i32.const 0x20))))
        (local.set $bytes3 (v128.or (local.get $bytes3) (i8x16.splat (i32.const 0x20))))
        (local.set $opening
          (i64.or
            (i64.or
              (i64.extend_i32_u (i8x16.bitmask (i8x16.eq (local.get $bytes0) (i8x16.splat (i32.const 0x7b)))))
              (i64.shl (i64.extend_i32_u (i8x16.bitmask (i8x16.eq (local.get $bytes1) (i8x16.splat (i32.const 0x7b))))) (i64.const 16)))
            (i64.or
              (i64.shl (i64.extend_i32_u (i8x16.bitmask (i8x16.eq (local.get $bytes2) (i8x16.splat (i32.const 0x7b))))) (i64.const 32))
              (i64.shl (i64.extend_i32_u (i8x16.bitmask (i8x16.eq (local.get $bytes3) (i8x16.splat (i32.const 0x7b))))) (i64.const 48)))))
        (local.set $brackets
          (i64.and
            (i64.or
              (local.get $opening)
              (i64.or
                (i64.or
                  (i64.extend_i32_u (i8x16.bitmask (i8x16.eq (local.get $bytes0) (i8x16.splat (i32.const 0x7d)))))
                  (i64.shl (i64.extend_i32_u (i8x16.bitmask (i8x16.eq (local.get $bytes1) (i8x16.splat (i32.const 0x7d))))) (i64.const 16)))
                (i64.or
                  (i64.shl (i64.extend_i32_u (i8x16.bitmask (i8x16.eq (local.get $bytes2) (i8x16.splat (i32.const 0x7d))))) (i64.const 32))
                  (i64.shl (i64.extend_i32_u (i8x16.bitmask (i8x16.eq (local.get $bytes3) (i8x16.splat (i32.const 0x7d))))) (i64.const 48)))))
            (i64.xor (local.get $strings) (i64.const -1))))
        (block $blockEnd
          (loop $bracket
            (br_if $blockEnd (i64.eqz (local.get $brackets)))
            (local.set $place
              (i32.add (local.get $at) (i32.wrap_i64 (i64.ctz (local.get $brackets)))))
            (if (i64.eqz
                  (i64.and
                    (i64.and (local.get $brackets) (i64.sub (i64.const 0) (local.get $brackets)))
                    (local.get $opening)))
              (then
                (local.set $depth (i32.sub (local.get $depth) (i32.const 1)))
                (if (i32.le_s (local.get $depth) (i32.const 1))
                  (then
                    (if (i32.eqz (local.get $depth))
                      (then (return (local.get $count) (i32.add (local.get $place) (i32.const 1)))))
                    (i32.store offset=65536
                      (i32.shl (local.get $count) (i32.const 2))
                      (i32.add (local.get $place) (i32.const 1)))
                    (local.set $count (i32.add (local.get $count) (i32.const 1))))))
              (else
                (local.set $depth (i32.add (local.get $depth) (i32.const 1)))
                (if (i32.eq (local.get $depth) (i32.const 2))
                  (then
                    (i32.store offset=65536 (i32.shl (local.get $count) (i32.const 2)) (local.get $place))
                    (local.set $count (i32.add (local.get $count) (i32.const 1)))))))
            (local.set $brackets
              (i64.and (local.get $brackets) (i64.sub (local.get $brackets) (i64.const 1))))
            (br $bracket)))
        (local.set $at (i32.add (local.get $at) (i32.const 64)))
        (br $block)))
    (global.set $depth (local.get $depth))
    (local.get $count)
    (i32.const -1)))
