# The probe's program for x86-64: works off a table of system calls and writes down what each one returned.
#
# It needs no C library and no file of any image, so that the preflight can run it in an image that holds nothing
# else. harness/sandbox/probe_program.py puts the table behind it. x86_64.hex is this file assembled
# (`as --64 x86_64.s`); a test assembles it again and compares.
#
# A table entry is ten 8-byte words: operation, system call, six arguments, result, count.
#   operation 0  make the call; the result is what it returned
#   operation 1  make it in a child; the result is the child's wait status (exit code 1: an error was returned)
#   operation 2  as 1, through the 32-bit gate
#   operation 3  fork children that sleep until it fails, at most `count` times; the count becomes how many
#   operation 4  end
#   operation 5  write to every page from argument 1 on, argument 2 bytes
        .intel_syntax noprefix
        .set    TABLE, 0x500000
        .globl  _start
_start: mov     ebx, TABLE
next:   mov     r12, [rbx]
        cmp     r12, 4
        je      finish
        cmp     r12, 3
        je      forks
        cmp     r12, 5
        je      touch
        test    r12, r12
        jne     child
        call    make
        mov     [rbx+64], rax
advance:
        add     rbx, 80
        jmp     next

child:  mov     eax, 57                 # fork
        syscall
        test    rax, rax
        jz      in_child
        js      failed
        mov     rdi, rax
        lea     rsi, [rbx+64]
        xor     edx, edx
        xor     r10d, r10d
        mov     eax, 61                 # wait4
        syscall
        jmp     advance
failed: mov     [rbx+64], rax
        jmp     advance
in_child:
        cmp     r12, 2
        je      gate
        call    make
leave:  xor     edi, edi
        test    rax, rax
        jns     1f
        inc     edi
1:      mov     eax, 231                # exit_group
        syscall
gate:   mov     eax, [rbx+8]
        mov     ecx, [rbx+24]
        mov     edx, [rbx+32]
        mov     ebx, [rbx+16]
        int     0x80
        cdqe
        jmp     leave

forks:  xor     r13d, r13d
1:      mov     eax, 57                 # fork
        syscall
        test    rax, rax
        jz      sleep
        js      2f
        inc     r13
        cmp     r13, [rbx+72]
        jb      1b
2:      mov     [rbx+64], rax
        mov     [rbx+72], r13
        jmp     advance
sleep:  mov     eax, 34                 # pause
        syscall
        jmp     sleep

touch:  mov     rdi, [rbx+16]
        mov     rsi, [rbx+24]
        add     rsi, rdi
1:      mov     byte ptr [rdi], 1
        add     rdi, 4096
        cmp     rdi, rsi
        jb      1b
        jmp     advance

make:   mov     rax, [rbx+8]
        mov     rdi, [rbx+16]
        mov     rsi, [rbx+24]
        mov     rdx, [rbx+32]
        mov     r10, [rbx+40]
        mov     r8, [rbx+48]
        mov     r9, [rbx+56]
        syscall
        ret

finish: xor     edi, edi
        mov     eax, 231                # exit_group
        syscall
